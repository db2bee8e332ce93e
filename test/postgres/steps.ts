/**
 * Jobs for tests: each emits an event, and ends in one of its attempts; a ticking one emits more of them until then.
 */
import { JobManager } from "charlotte"
import { Effect, Schema } from "effect"

export const makeManager = JobManager.make({
  kind: "steps",
  maxJobs: 2,
  config: Schema.Struct({ endsAt: Schema.Number, isTicking: Schema.optional(Schema.Boolean) }),
  orchestrator: {
    run: (job) =>
      Effect.gen(function* () {
        yield* job.emit({ type: "step", payload: job.attempt })
        yield* job.flush
        if (job.attempt >= job.config.endsAt) return `ended in attempt ${job.attempt}`
        if (job.config.isTicking !== true) return yield* Effect.never
        const tick = Effect.zipRight(Effect.sleep(20), job.emit({ type: "tick", payload: job.attempt }))
        return yield* Effect.forever(tick)
      })
  }
})
