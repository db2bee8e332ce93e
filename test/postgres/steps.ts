/**
 * Jobs for tests: each emits an event, and ends in the attempt that it was told to end in.
 */
import { JobManager } from "charlotte"
import { Effect, Schema } from "effect"

export const makeManager = JobManager.make({
  kind: "steps",
  maxJobs: 2,
  config: Schema.Struct({ endsAt: Schema.Number }),
  orchestrator: {
    run: (job) =>
      Effect.gen(function* () {
        yield* job.emit({ type: "step", payload: job.attempt })
        yield* job.flush
        return job.attempt >= job.config.endsAt ? `ended in attempt ${job.attempt}` : yield* Effect.never
      })
  }
})
