import { describe, it } from "@effect/vitest"
import { JobManager } from "charlotte"
import { Effect, Fiber } from "effect"
import { unknownId } from "../../support/jobs.js"
import { untilClosed } from "../Jobs.js"
import { endure, type Life, phases } from "./Phases.js"
import * as Witness from "./Witness.js"

const live: Life<never, never> = (world, { at, isShielded = false }, config) =>
  Effect.gen(function* () {
    const { close, context } = yield* untilClosed(Witness.manager(world))
    const manager = yield* Effect.provide(JobManager.JobManager, context)
    if (config !== undefined) yield* manager.start(config)
    yield* Witness.reached(world, at)
    const closing = yield* Effect.fork(close)
    // Closing has started once no job is accepted any more.
    const refusal = Effect.delay(Effect.flip(manager.resume(unknownId)), "1 millis")
    yield* Effect.repeat(refusal, { until: ({ _tag }) => _tag !== "JobNotFound" })
    if (isShielded) yield* Witness.release(world)
    yield* Fiber.join(closing)
    yield* Witness.release(world)
  }).pipe(Effect.orDie)

describe("closing the manager in each phase of a task job", () => {
  it.scopedLive(
    "lets the job resume to the same result, with no task or merge run twice",
    () =>
      Effect.gen(function* () {
        const world = yield* Witness.world
        yield* endure(yield* Witness.job(world), phases, live)
      }),
    300_000
  )
})
