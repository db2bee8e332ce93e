import { expect, layer } from "@effect/vitest"
import { Effect, Schema } from "effect"
import * as text from "../../../src/cli/terminal/text.js"
import * as requests from "../../http/requests.js"
import { unknownId } from "../../support/jobs.js"
import { forbidden } from "../hostile.js"
import { escapes, Here, layer as daemon, tasks } from "./Here.js"

const decode = Schema.decodeSync(Schema.parseJson(Schema.Record({ key: Schema.String, value: Schema.Unknown })))

layer(daemon(tasks), { excludeTestServices: true, timeout: "5 minutes" })("charlotte show", (it) => {
  it.scoped("lists completed, running and pending units and tasks with durations", () =>
    Effect.gen(function* () {
      const { complete, reached, release, repository, run, submit } = yield* Here
      const id = yield* submit("waiting", "--label", `team=${escapes}`)
      yield* reached
      const { code, err, out } = yield* run("show", id)
      expect([code, err]).toEqual([0, ""])
      expect(out).toMatch(new RegExp(`^▸ running for [\\d.]+ s  job ${id}\\n\\n  repo     ${repository}\\n`))
      expect(out).toMatch(/\n {2}plan {5}tasks\/waiting\n {2}target {3}branch-1\n {2}labels {3}team=red\n {2}created /)
      expect(out).toMatch(/\n {2}tasks {4}1 done, 1 running, 1 pending\n/)
      expect(out).toMatch(
        /\n\n {2}▸ a {2}running {2}\d:\d\d\n {4}✓ 1 First {2}\d:\d\d {2}\w{8}\n {8}! the gate passed although no file was changed: it may pass even before the task is started\n {4}▸ 2 Task 2 {2}\d:\d\d\n {2}· b {2}after a {2}pending\n {4}· 1 Task 1\n\n/
      )
      expect(out).toMatch(
        new RegExp(`watch it with  charlotte watch ${id}\\n  stop it with   charlotte stop ${id}\\n$`)
      )
      yield* release
      expect((yield* run("watch", id)).code).toBe(0)
      const after = yield* run("show", "latest")
      expect(after.out).toMatch(new RegExp(`^✓ completed in [\\d.]+ m?s  job ${id}\\n`))
      expect(after.out).toMatch(
        /\n {2}✓ a {2}merged {2}\d:\d\d {2}\w{8}\n( {4}.*\n)+ {2}✓ b {2}merged {2}\d:\d\d {2}\w{8}\n/
      )

      const bad = yield* complete("bad")
      const failed = yield* run("show", bad)
      expect(failed.out).toMatch(new RegExp(`^✗ failed after [\\d.]+ m?s  job ${bad}\\n`))
      expect(failed.out).toMatch(
        /\n {2}✗ a {2}failed {2}\d:\d\d\n {4}✗ 1 Bad red ?work {2}failed 1× {2}\d:\d\d\n {8}the gate exited with code 1: red wrong\n {8}log {2}\/.*\.gate\.log\n/
      )
      expect(failed.out).toContain("\n\n  ! a  unfinished work of task 1: 1 file\n")
      expect(failed.out).toContain(`charlotte retry ${bad}\n`)
    })
  )

  it.scoped("fits any terminal and strips control sequences from titles and reasons", () =>
    Effect.gen(function* () {
      const { onTerminal } = yield* Here
      for (const columns of [30, 60, 100, 200]) {
        const { code, out } = yield* onTerminal(columns, "show", "latest")
        expect(code).toBe(0)
        expect(out).not.toMatch(forbidden)
        const rows = out.split("\n").filter((line) => /^ {2,4}[✗·] /.test(line))
        expect(rows).toHaveLength(2)
        for (const line of rows) expect(text.width(line)).toBeLessThan(columns)
      }
    })
  )

  it.scoped("prints the JSON of the API and the result with --json", () =>
    Effect.gen(function* () {
      const { home, run } = yield* Here
      const { code, err, out } = yield* run("show", "latest", "--json")
      expect([code, err]).toEqual([0, ""])
      const { summary, ...job } = decode(out)
      const { json } = yield* requests.send({ socketPath: `${home}/socket` }, { path: `/api/v1/jobs/${job["id"]}` })
      expect(job).toEqual(json)
      expect(summary).toMatchObject({
        jobId: job["id"],
        status: "failed",
        unfinished: [{ unit: "a", task: 1, files: 1 }]
      })
    })
  )

  it.scoped("finds a job by prefix or suffix in any case, and explains no or several matches", () =>
    Effect.gen(function* () {
      const { run } = yield* Here
      const id = String(decode((yield* run("show", "latest", "--json")).out)["id"])
      for (const name of [id, id.toLowerCase(), id.slice(-6), id.slice(-6).toLowerCase()]) {
        expect((yield* run("show", name)).out).toContain(`job ${id}\n`)
      }
      const ambiguous = yield* run("show", id.slice(0, 4))
      expect(ambiguous).toMatchObject({ code: 2, out: "" })
      expect(ambiguous.err).toMatch(
        /^charlotte: "\w{4}" matches several jobs; use more characters of the id:\n( {2}\w{26}\n){2}$/
      )
      const hint = 'use a job id, a unique prefix or suffix of it (4+ characters), or "latest"'
      for (const [name, sentence] of [
        ["", `no job matches ""; ${hint}`],
        ["x", `no job matches "x"; ${hint}`],
        [`../..${escapes}`, `no job matches "../..red"; ${hint}`],
        ["ZZZZ", 'no job matches "ZZZZ"; list jobs with: charlotte jobs'],
        [unknownId, `job ${unknownId} not found; list jobs with: charlotte jobs`]
      ] as const) {
        expect(yield* run("show", name)).toEqual({ code: 2, out: "", err: `charlotte: ${sentence}\n` })
      }
    })
  )
})
