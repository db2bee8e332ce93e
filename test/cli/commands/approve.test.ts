/** `charlotte approve` and `charlotte reject`, with a daemon, without one, and inside a job. */
import { describe, expect, it, layer } from "@effect/vitest"
import { JobId } from "charlotte"
import { JobClient } from "charlotte/http"
import { Effect, Schema } from "effect"
import { readFileSync } from "node:fs"
import { hostname, userInfo } from "node:os"
import { task, unit } from "../../tasks/Jobs.js"
import * as Charlotte from "../process/Charlotte.js"
import * as Daemon from "../process/Daemon.js"
import * as CommandLine from "./CommandLine.js"
import { Here, layer as daemon, type Service } from "./Here.js"

const settings = { "charlotte.yaml": "agent: script\nattempts: 1\nland: ask\n" }

const asking = {
  ...settings,
  "a/IMPLEMENTATION_PLAN.md": unit(),
  "a/01-one.md": task(1, "echo one > one", "grep one one"),
  "b/IMPLEMENTATION_PLAN.md": unit(["a"]),
  "b/01-two.md": task(1, "echo two > two", "cat one two")
}

const below = (directory: string, files: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(files).map(([file, content]) => [`${directory}/${file}`, content]))

/** Decides about the newest other job. */
const inside = (root: string) => ({
  "charlotte.yaml": "agent: script\nattempts: 1\n",
  "a/IMPLEMENTATION_PLAN.md": unit(),
  "a/01-one.md": task(
    1,
    `for words in "approve $(cat '${root}/asked')" "reject $(cat '${root}/asked') --because no"; do
  CHARLOTTE_HOME='${root}/charlotte' charlotte $words >> '${root}/inside' 2>&1 || echo $? >> '${root}/inside'
done`,
    "true"
  )
})

const files = (root: string) => ({ ...below("asking", asking), ...below("inside", inside(root)) })

type Run = Service["run"]

const Record = Schema.parseJson(
  Schema.Struct({
    status: Schema.String,
    parked: Schema.optional(
      Schema.Struct({ approval: Schema.optional(Schema.Struct({ commit: Schema.String, base: Schema.String })) })
    ),
    result: Schema.optional(Schema.Struct({ landed: Schema.optional(Schema.String), target: Schema.String }))
  })
)

const record = (run: Run, id: string) =>
  // Each call captures what it prints.
  Effect.flatMap(
    Effect.suspend(() => run("show", id, "--json")),
    ({ out }) => Effect.orDie(Schema.decode(Record)(out))
  )

/** Waits until the job asks, for another commit than the given one, and returns the commit. */
const asked = (run: Run, id: string, before?: string) =>
  record(run, id).pipe(
    Effect.delay("50 millis"),
    Effect.repeat({
      until: ({ parked, status }) => status === "parked" && parked?.approval?.commit !== before
    }),
    Effect.map(({ parked }) => parked?.approval?.commit ?? "")
  )

const by = `${userInfo().username}@${hostname()}`

const insideJob = "charlotte: this command runs inside a job, and is for a person in a shell outside of it\n"

layer(daemon(files), { excludeTestServices: true, timeout: "5 minutes" })("charlotte approve and reject", (it) => {
  it.scoped("land what waits for it, which show, summary, jobs and diff name, with who has decided in the events", () =>
    Effect.gen(function* () {
      const { git, repository, run, submit } = yield* Here
      const id = yield* submit("asking")
      const commit = yield* asked(run, id)
      const shown = (yield* run("show", id)).out
      expect(shown).toContain("\n  waits    for approval\n")
      expect(shown).toContain(
        `\n  look at it with  charlotte diff ${id}\n  approve it with  charlotte approve ${id}\n` +
          `  reject it with   charlotte reject ${id} --because TEXT\n  stop it with     charlotte stop ${id}\n`
      )
      expect((yield* run("jobs")).out).toMatch(new RegExp(`^${id} {2}parked .* approval `, "m"))
      const { needs } = JSON.parse((yield* run("summary", "--all", "--json")).out)
      expect(needs).toContainEqual(
        expect.objectContaining({ id, command: `charlotte approve ${id}`, reason: expect.stringContaining("approve") })
      )
      expect((yield* run("diff", id)).out).toContain("+one\n")
      expect((yield* run("diff", id, "b")).out).not.toContain("+one\n")

      expect(yield* run("approve", id, "--commit", "0".repeat(40))).toEqual({
        code: 2,
        out: "",
        err:
          `charlotte: job ${id} waits for the approval of another commit, ${commit}: look at its changes again; ` +
          `see: charlotte diff ${id}\n`
      })
      expect(yield* run("approve", id.slice(-6), "--commit", commit.slice(0, 10))).toEqual({
        code: 0,
        out: `✓ job ${id} is approved at commit ${commit.slice(0, 10)}, and lands\n`,
        err: ""
      })
      expect((yield* run("watch", id)).out).toContain(`approved by ${by} (socket), commit ${commit.slice(0, 8)}`)
      expect(yield* record(run, id)).toMatchObject({ status: "completed", result: { landed: commit } })
      const { result } = yield* record(run, id)
      expect((yield* git(repository, "rev-parse", result?.target ?? "")).trim()).toBe(commit)
      expect(yield* run("approve", id)).toEqual({
        code: 2,
        out: "",
        err: `charlotte: job ${id} does not wait for approval: it is completed; see: charlotte show ${id}\n`
      })
    })
  )

  it.scoped("let a unit go on, and fail the job without one, by command and over HTTP", () =>
    Effect.gen(function* () {
      const { home, run, submit } = yield* Here
      const client = yield* JobClient.make({ socket: `${home}/socket` })
      const id = yield* submit("asking")
      const first = yield* asked(run, id)
      expect(yield* run("reject", id)).toMatchObject({
        code: 2,
        err: expect.stringContaining("--because is missing: say what is wrong with the result")
      })
      expect((yield* run("reject", id, "--because", " \n")).err).toContain("--because must not be empty")
      expect(yield* run("reject", id, "--unit", "nobody", "--because", "no")).toEqual({
        code: 2,
        out: "",
        err: `charlotte: job ${id} has no unit nobody; see: charlotte show ${id}\n`
      })
      const because = "Say more:\n```sh\necho more >> one\n```"
      expect(yield* run("reject", id, "--unit", "a", "--because", because, "--json")).toEqual({
        code: 0,
        out: `${JSON.stringify({ id, commit: first, approved: false, because, unit: "a" })}\n`,
        err: ""
      })
      const second = yield* asked(run, id, first)
      expect((yield* run("diff", id)).out).toContain("+one\n+more\n")
      const jobId = JobId.make(id)
      expect(yield* Effect.flip(client.approve(jobId, { commit: first }))).toMatchObject({
        _tag: "ApprovalRefused",
        reason: "otherCommit",
        result: second
      })
      expect(yield* Effect.flip(client.approve(jobId, { commit: "main" }))).toMatchObject({ _tag: "InvalidRequest" })
      expect(yield* Effect.flip(client.reject(jobId, { because: "x".repeat(40_000) }))).toMatchObject({
        _tag: "InvalidRequest"
      })
      yield* client.reject(jobId, { because: "not like that", by: "ann" })
      yield* run("watch", id)
      const summary = (yield* run("watch", id)).out
      expect(summary).toMatch(/^✗ failed after .*: rejected: not like that$/m)
      expect(summary).toContain("rejected by ann (socket): not like that")
      expect(summary).toMatch(new RegExp(`continue with {2}.*merge charlotte/${id}/result`))
    })
  )

  it.scoped("are refused inside a job", () =>
    Effect.gen(function* () {
      const { root, run, submit, write } = yield* Here
      const id = yield* submit("asking")
      const commit = yield* asked(run, id)
      yield* write(`${root}/asked`, id)
      const other = yield* submit("inside")
      yield* run("watch", other)
      expect(readFileSync(`${root}/inside`, "utf8")).toBe(`${insideJob}2\n`.repeat(2))
      expect(yield* record(run, id)).toMatchObject({ status: "parked", parked: { approval: { commit } } })
      expect(yield* run("approve", id)).toMatchObject({ code: 0 })
      yield* run("watch", id)
    })
  )
})

describe("without a daemon", () => {
  it.scopedLive("approve, after the daemon was killed, is recorded, and the job lands when one runs", () =>
    Effect.gen(function* () {
      const world = yield* Charlotte.world(() => asking)
      const command = CommandLine.make(world)
      const run = (...words: ReadonlyArray<string>) => command(words).answer
      const { pid } = yield* Daemon.up(world)
      const id = yield* Daemon.submit(world)
      const commit = yield* asked(run, id)
      yield* Daemon.kill(pid, "SIGKILL")
      yield* Daemon.gone(pid)
      expect((yield* run("diff", id)).out).toContain("+one\n")
      expect(yield* run("approve", id)).toEqual({
        code: 0,
        out: `✓ job ${id} is approved at commit ${commit.slice(0, 10)}, and lands; it resumes when a daemon runs: charlotte daemon start\n`,
        err: ""
      })
      expect((yield* run("reject", id, "--because", "no")).err).toContain("was decided on before")
      yield* Daemon.up(world)
      yield* run("watch", id)
      expect((yield* world.git(world.repository, "rev-parse", "main")).trim()).toBe(commit)
      yield* Daemon.down(world)
    })
  )
})
