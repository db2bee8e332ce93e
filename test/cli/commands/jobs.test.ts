import { expect, layer } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { JobsApi } from "charlotte/http"
import * as requests from "../../http/requests.js"
import { forbidden } from "../hostile.js"
import * as Terminal from "../../../src/cli/terminal/text.js"
import { escapes, Here, layer as daemon, tasks } from "./Here.js"

const decode = Schema.decodeSync(Schema.parseJson(JobsApi.JobPage))

const noJobs = { code: 0, out: "", err: "no jobs yet; start one with: charlotte run TASKSDIR\n" }

layer(daemon(tasks), { excludeTestServices: true, timeout: "5 minutes" })("charlotte jobs", (it) => {
  /** One that is done, one that has failed, and one that waits until it is released. */
  let ids: ReadonlyArray<string> = []

  it.scoped("reports that there are no jobs", () =>
    Effect.gen(function* () {
      const { onTerminal, run } = yield* Here
      expect(yield* run("jobs")).toEqual(noJobs)
      expect(yield* onTerminal(80, "jobs")).toEqual({ code: 0, out: noJobs.err, err: "" })
      expect(yield* run("jobs", "--json")).toEqual({ code: 0, out: '{"jobs":[]}\n', err: "" })
    })
  )

  it.scoped("is a table with progress, newest first", () =>
    Effect.gen(function* () {
      const { complete, reached, repository, run, submit } = yield* Here
      const good = yield* complete("good", "--label", "team=web")
      const bad = yield* complete("bad", "--label", `team=${escapes}`, "--label", "size=日本")
      const waiting = yield* submit("waiting")
      yield* reached
      ids = [waiting, bad, good]
      const { code, err, out } = yield* run("jobs")
      expect([code, err]).toEqual([0, ""])
      const [titles, ...rows] = out.trimEnd().split("\n")
      expect(titles).toMatch(/^JOB +STATUS +REASON +TASKS +TARGET +REPOSITORY +AGE +TOOK +LABELS$/)
      expect(rows.map((row) => row.split(/ {2,}/))).toEqual([
        [waiting, "running", "1/3", "branch-3", repository, age, clock],
        [
          bad,
          "failed",
          "a 1: the gate exited with code 1: red wrong",
          "0/1",
          "branch-2",
          repository,
          age,
          clock,
          "team=red, size=日本"
        ],
        [good, "completed", "1/1", "branch-1", repository, age, clock, "team=web"]
      ])
    })
  )

  it.scoped("fits any terminal and strips control sequences from labels", () =>
    Effect.gen(function* () {
      const { onTerminal } = yield* Here
      for (const columns of [20, 40, 60, 80, 100, 120, 200]) {
        const { code, out } = yield* onTerminal(columns, "jobs")
        expect(code).toBe(0)
        expect(out).not.toMatch(forbidden)
        const lines = out.trimEnd().split("\n")
        expect(lines).toHaveLength(4)
        // The job, its status and its tasks are always there.
        if (columns >= 40) for (const line of lines) expect(Terminal.width(line)).toBeLessThanOrEqual(columns)
        for (const [index, id] of ids.entries()) expect(lines[index + 1]).toContain(id.slice(-8))
      }
    })
  )

  it.scoped("filters by status and labels, and limits the number across pages", () =>
    Effect.gen(function* () {
      const { run } = yield* Here
      const found = (...options: ReadonlyArray<string>) =>
        Effect.map(run("jobs", ...options), ({ code, err, out }) => {
          expect(code).toBe(0)
          return { ids: out.split("\n").flatMap((line) => /^\w{26}/.exec(line) ?? []), err }
        })
      const [waiting = "", bad = "", good = ""] = ids
      expect(yield* found("--status", "completed")).toEqual({ ids: [good], err: "" })
      expect(yield* found("--status", "running")).toEqual({ ids: [waiting], err: "" })
      expect(yield* found("--label", "team=web")).toEqual({ ids: [good], err: "" })
      expect(yield* found("--label", "size=日本", "--label", `team=${escapes}`)).toEqual({ ids: [bad], err: "" })
      expect(yield* found("--label", "size=日本", "--label", "team=web")).toEqual({
        ids: [],
        err: "no matching jobs\n"
      })
      const more = `more jobs: add --before ${bad}\n`
      expect(yield* found("--limit", "2")).toEqual({ ids: [waiting, bad], err: more })
      expect(yield* found("--limit", "2", "--before", bad)).toEqual({ ids: [good], err: "" })
      expect(yield* found("--limit", "999999")).toEqual({ ids: [waiting, bad, good], err: "" })
    })
  )

  it.scoped("prints the JSON of the API with --json", () =>
    Effect.gen(function* () {
      const { home, release, run } = yield* Here
      const answered = yield* run("jobs", "--json", "--status", "failed")
      const { text } = yield* requests.send(
        { socketPath: `${home}/socket` },
        { path: "/api/v1/jobs?status=failed", headers: { host: "localhost" } }
      )
      expect(answered).toEqual({ code: 0, out: `${text}\n`, err: "" })
      expect(decode(answered.out).jobs.map(({ id, labels }) => [id, labels])).toEqual([
        [ids[1], { team: escapes, size: "日本" }]
      ])
      yield* release
    })
  )

  it.scoped("searches labels, config, errors and titles of tasks, and takes nothing in the text for syntax", () =>
    Effect.gen(function* () {
      const { run } = yield* Here
      const [waiting, bad, good] = ids
      const found = (...words: ReadonlyArray<string>) =>
        Effect.map(run("jobs", "--json", ...words), ({ code, err, out }) => {
          expect([code, err]).toEqual([0, ""])
          return decode(out).jobs.map(({ id }) => id)
        })
      expect(yield* found("--search", "TEAM web")).toEqual([good])
      expect(yield* found("--search", "日本")).toEqual([bad])
      expect(yield* found("--search", "bad work")).toEqual([bad])
      expect(yield* found("--search", "tasks", "--limit", "2")).toEqual([waiting, bad])
      expect(yield* found("--search", "tasks", "--status", "failed")).toEqual([bad])
      for (const text of ['"', "*", "a OR b", "NEAR(", "-", "team:web OR", "'; DROP"]) yield* found("--search", text)
      const none = { code: 0, out: "", err: "no matching jobs\n" }
      expect(yield* run("jobs", "--search", "nowhere")).toEqual(none)
    })
  )

  it.scoped("explains usage errors", () =>
    Effect.gen(function* () {
      const { run } = yield* Here
      const help = "see: charlotte jobs --help\n"
      const limit = (text: string) =>
        `charlotte: invalid value "${text}" for --limit: expected a whole number, 1 or more; ${help}`
      const status = `charlotte: invalid value "done" for --status: expected one of pending, running, interrupted, parked, completed, failed, cancelled; ${help}`
      const label = (text: string) =>
        `charlotte: invalid value "${text}" for --label: expected KEY=VALUE, such as team=web; ${help}`
      const table: ReadonlyArray<readonly [words: ReadonlyArray<string>, err: string]> = [
        [["--limit", "0"], limit("0")],
        [["--limit", "-1"], limit("-1")],
        [["--limit", "many"], limit("many")],
        [["--limit", "1e3"], limit("1e3")],
        [["--limit", ""], `charlotte: --limit needs a value: --limit N; ${help}`],
        [["--status", "done"], status],
        [["--status", "\x1b[31mdone"], status],
        [["--label", "team"], label("team")],
        [["--label", "=x"], label("=x")],
        [
          ["--search", "x".repeat(201)],
          `charlotte: invalid value "${"x".repeat(201)}" for --search: expected at most 200 characters; ${help}`
        ],
        [
          ["--before", "x"],
          `charlotte: no job matches "x"; use a job id, a unique prefix or suffix of it (4+ characters), or "latest"\n`
        ],
        [["--before", "ZZZZZZZZ"], 'charlotte: no job matches "ZZZZZZZZ"; list jobs with: charlotte jobs\n'],
        [["latest"], `charlotte: unexpected argument "latest"; ${help}`]
      ]
      for (const [words, err] of table) expect(yield* run("jobs", ...words)).toEqual({ code: 2, out: "", err })
    })
  )
})

const age = expect.stringMatching(/^\d+ (s|min)$/)
const clock = expect.stringMatching(/^\d:\d\d$/)
