/** Places for jobs: whatever becomes of the jobs, and of those who ask, all of them are free in the end, and no more. */
import { describe, expect, it } from "@effect/vitest"
import { JobManager } from "charlotte"
import { ScriptedOrchestrator, Step, TestManager } from "charlotte/testing"
import { Effect } from "effect"
import { config } from "../support/jobs.js"
import { isLong } from "../support/long.js"

const maxJobs = 5

const allAreFree = Effect.gen(function* () {
  const manager = yield* JobManager.JobManager
  expect(yield* manager.activeCount).toBe(0)
  yield* Effect.replicateEffect(manager.start(config), maxJobs)
  expect((yield* Effect.flip(manager.start(config)))._tag).toBe("MaxJobsReached")
  expect(yield* manager.stopAll).toHaveLength(maxJobs)
})

const ends = [Step.succeed("done"), Step.fail("broken"), Step.die("a bug"), Step.interrupt]

/** The n-th life of a job, to its end. */
const life = (n: number) =>
  Effect.gen(function* () {
    const manager = yield* JobManager.JobManager
    const { send } = yield* ScriptedOrchestrator.ScriptedOrchestrator
    const id = yield* manager.start(config)
    const end = ends[n % (ends.length + 1)]
    if (end === undefined) return yield* manager.stop(id)
    yield* send(id, Step.emit({ type: "step" }), end)
    return yield* manager.await(id)
  })

const lives = isLong ? 100_000 : 2_000

describe("the permits of a manager", () => {
  it.effect(
    `are free after ${lives} jobs that succeeded, failed, died, interrupted themselves or were stopped`,
    () =>
      Effect.gen(function* () {
        for (let n = 0; n < lives; n += maxJobs)
          yield* Effect.forEach([0, 1, 2, 3, 4], (i) => life(n + i), { concurrency: "unbounded" })
        yield* allAreFree
      }).pipe(Effect.provide(TestManager.layer({ maxJobs }))),
    isLong ? 600_000 : 30_000
  )
})
