import { describe, expect, it } from "@effect/vitest"
import { Effect, Schedule } from "effect"
import { rmSync } from "node:fs"
import { unknownId } from "../../support/jobs.js"
import * as Charlotte from "../process/Charlotte.js"
import * as Daemon from "../process/Daemon.js"
import * as Tasks from "../process/Tasks.js"
import * as CommandLine from "./CommandLine.js"
import { tasks } from "./Here.js"

describe("charlotte resume", () => {
  it.scopedLive(
    "resumes an interrupted job if a permit is free, and otherwise names the fix",
    () =>
      Effect.gen(function* () {
        const world = yield* Charlotte.world(tasks)
        const command = CommandLine.make(world)
        const run = (...words: ReadonlyArray<string>) => command(words).answer
        const submit = (branch: string) =>
          Effect.gen(function* () {
            yield* world.git(world.repository, "branch", branch)
            const where = ["--repo", world.repository, "--target", branch]
            return (yield* run("start", "tasks/waiting", ...where)).out.trim()
          })
        // Both jobs leave the same file, so only their records say that each has come so far.
        const inSecondTask = (id: string) =>
          run("show", id).pipe(
            Effect.repeat({ until: ({ out }) => out.includes("▸ 2 Task 2"), schedule: Schedule.spaced("20 millis") })
          )
        yield* Daemon.up(world)
        const first = yield* submit("one")
        const second = yield* submit("two")
        yield* Effect.forEach([first, second], inSecondTask, { discard: true })
        yield* Daemon.down(world)
        rmSync(`${world.root}/reached`)

        // There is one permit now, and the older job has it.
        yield* Daemon.up(world, { variables: { CHARLOTTE_MAX_JOBS: "1" } })
        yield* Tasks.reached(world)
        expect((yield* run("jobs", "--status", "interrupted")).out).toContain(second)
        expect((yield* run("show", second)).out).toMatch(
          /^! interrupted {2}job [^]*\n {2}! a {2}interrupted\n[^]*\n {4}! 2 Task 2\n[^]*charlotte resume \w{26}\n$/
        )
        const message = "max jobs (1) reached"
        expect(yield* run("resume", second)).toEqual({
          code: 75,
          out: "",
          err: `charlotte: ${message}; wait for a job to end or stop one; list them with: charlotte jobs --status running\n`
        })
        const json = yield* run("resume", second, "--json")
        expect([json.code, JSON.parse(json.err)]).toEqual([
          75,
          { _tag: "MaxJobsReached", message, maxJobs: 1, reason: "permits" }
        ])
        expect(yield* run("resume", first)).toEqual({
          code: 2,
          out: "",
          err: `charlotte: job ${first} cannot be resumed: it is running; watch it with: charlotte watch ${first}\n`
        })

        // When the permit is free the other goes on by itself.
        expect((yield* run("stop", first)).code).toBe(0)
        yield* Tasks.release(world)
        expect((yield* run("watch", second)).code).toBe(0)
        expect((yield* run("resume", second)).err).toContain(`it is completed; see its result with: charlotte show`)
        expect((yield* run("resume", first)).err).toMatch(
          /^charlotte: job \w{26} cannot be resumed: it is cancelled; .* in a new job with: charlotte retry \w{26}\n$/
        )
        expect(yield* run("resume", unknownId)).toEqual({
          code: 2,
          out: "",
          err: `charlotte: job ${unknownId} not found; list jobs with: charlotte jobs\n`
        })

        // A job of its own does what is left.
        const retried = yield* run("retry", first)
        expect([retried.code, retried.err]).toEqual([0, ""])
        expect(retried.out).toMatch(/ job (\w{26}) started\n[^]*\n✓ completed in /)
        expect(retried.out).not.toContain(" a 1  First\n")
        expect((yield* run("show", "latest")).out).toContain(`  retry of ${first}\n`)
        yield* Daemon.down(world)
      }),
    300_000
  )
})
