import { expect, layer } from "@effect/vitest"
import { JobEvent } from "charlotte"
import { Effect, Schema } from "effect"
import { unknownId } from "../../support/jobs.js"
import { forbidden } from "../hostile.js"
import { Here, layer as daemon, tasks } from "./Here.js"

const Event = Schema.parseJson(JobEvent.JobEvent)
const Last = Schema.parseJson(
  Schema.Struct({ summary: Schema.Struct({ jobId: Schema.String, status: Schema.String }) })
)

/** The events of an answer for programs, and what it ends with. */
const read = (out: string) => {
  const lines = out.trimEnd().split("\n")
  const { summary } = Schema.decodeSync(Last)(lines.pop() ?? "")
  return { events: lines.map((line) => Schema.decodeSync(Event)(line)), summary }
}

layer(daemon(tasks), { excludeTestServices: true, timeout: "5 minutes" })("charlotte watch", (it) => {
  it.scoped("follows a job to its end, one line per change, and exits with its code", () =>
    Effect.gen(function* () {
      const { following, reached, release, run, submit } = yield* Here
      const id = yield* submit("waiting")
      yield* reached
      const [plain, json] = [yield* following("watch", id), yield* following("watch", id, "--json")]
      yield* plain.says(" a 2  Task 2\n")
      yield* json.says('"task.started","unit":"a","task":2')
      yield* release
      const { code, err, out } = yield* plain.ended
      expect([code, err]).toEqual([0, ""])
      expect(out).toMatch(new RegExp(`^\\d\\d:\\d\\d:\\d\\d job ${id} started\\n`))
      expect(out).toMatch(new RegExp(` job ${id} completed\\n\\n✓ completed in [\\d.]+ m?s  job ${id}\\n`))
      expect(out).not.toMatch(forbidden)
      const { events, summary } = read((yield* json.ended).out)
      expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1))
      expect(events.at(-1)?.type).toBe("job.completed")
      expect(summary).toMatchObject({ jobId: id, status: "completed" })
      // What is over is told in the same words.
      expect((yield* run("watch", "latest")).out).toBe(out)
    })
  )

  it.scoped("exits with 1 for a failed job and 130 for a stopped one", () =>
    Effect.gen(function* () {
      const { following, fresh, reached, run, submit } = yield* Here
      const bad = yield* run("watch", yield* submit("bad"))
      expect([bad.code, bad.err]).toEqual([1, ""])
      expect(bad.out).toMatch(/ a 1 {2}gate failed: exited with code 1; see .*\.gate\.log\n[^]*\n\n✗ failed after /)
      yield* fresh
      const id = yield* submit("waiting")
      yield* reached
      const watcher = yield* following("watch", id)
      yield* watcher.says(" a 2  Task 2\n")
      yield* run("stop", id)
      const { code, err, out } = yield* watcher.ended
      expect([code, err]).toEqual([130, ""])
      expect(out).toMatch(
        new RegExp(` job ${id} stop requested by .+@.+\\n.* job ${id} cancelled\\n\\n! cancelled after `)
      )
    })
  )

  it.scoped("strips control sequences from titles, logs and reasons on a terminal", () =>
    Effect.gen(function* () {
      const { onTerminal, submit } = yield* Here
      const { code, out } = yield* onTerminal(60, "watch", yield* submit("bad"))
      expect(code).toBe(1)
      // Its own redraws move the cursor; of what comes from elsewhere only the words are left.
      for (const sequence of ["\x1b[2J", "\x1b]", "\x07", "\x1b[31m", "\u202e", "\x9b"])
        expect(out).not.toContain(sequence)
      expect(out).toMatch(/│ red wrong/)
      expect(out).toMatch(/✗ failed after /)
    })
  )

  it.scoped("without a job prints new events of all jobs, each line with its job", () =>
    Effect.gen(function* () {
      const { complete, following } = yield* Here
      const before = yield* complete("good")
      const watcher = yield* following("watch")
      const json = yield* following("watch", "--json")
      // There is no telling that it watches already but that it tells of something.
      const ids: Array<string> = []
      do ids.push(yield* complete("bad"))
      while (!(yield* json.hasSaid('"job.failed"')) || !(yield* watcher.hasSaid(" failed: ")))
      const last = ids.at(-1) ?? ""
      yield* watcher.says(`${last.slice(-8)} `)
      expect(yield* watcher.hasSaid(before.slice(-8))).toBe(false)
    })
  )

  it.scoped("explains an unknown job and how to find one", () =>
    Effect.gen(function* () {
      const { run } = yield* Here
      expect(yield* run("watch", unknownId)).toEqual({
        code: 2,
        out: "",
        err: `charlotte: job ${unknownId} not found; list jobs with: charlotte jobs\n`
      })
      const json = yield* run("watch", unknownId, "--json")
      expect([json.code, json.out, JSON.parse(json.err)]).toEqual([
        2,
        "",
        { _tag: "JobNotFound", message: `job ${unknownId} not found`, jobId: unknownId }
      ])
      expect(yield* run("watch", "none")).toMatchObject({ code: 2, out: "" })
    })
  )
})
