/**
 * Changes how many jobs run at once, while they run.
 */
import { Effect, Ref } from "effect"
import type { ShuttingDown, StoreError } from "../../domain/errors.js"
import { logChange } from "../../domain/Sender.js"
import { traced } from "../../internal/Tracing.js"
import { type Core, wholeNumber } from "./Core.js"

/** The limit of a manager, or of a cluster. */
export interface Limit {
  readonly get: Effect.Effect<number, StoreError>
  readonly set: (maxJobs: number) => Effect.Effect<void, StoreError>
}

/** The limit of one machine: a lower one stops no job. */
export const ofManager = <Config>({ maxJobs, permitFreed, permits }: Core<Config>): Limit => ({
  get: Ref.get(maxJobs),
  set: (n) => Effect.zipRight(Ref.set(maxJobs, n), Effect.zipRight(permits.resize(n), permitFreed.wake))
})

export const limitJobs = <Config>(
  core: Core<Config>,
  limit: Limit,
  maxJobs: number,
  by: string | undefined
): Effect.Effect<void, ShuttingDown | StoreError> =>
  Effect.gen(function* () {
    yield* core.store.outsideTransaction
    yield* wholeNumber("a limit", maxJobs)
    // A manager that closes waits for all of its permits.
    yield* core.shutdown.refuse
    yield* limit.set(maxJobs)
    yield* logChange(`at most ${maxJobs} jobs of kind "${core.kind}" run at once`, by)
  }).pipe(Effect.uninterruptible, traced("JobManager.limit"))
