/**
 * Writes that are not given up: what happened has happened, so it is written again and again until the store takes it.
 * Meanwhile the manager says that it is unhealthy, rather than lie.
 */
import { Effect, Fiber } from "effect"
import type { StoreError } from "../domain/errors.js"
import type { JobId } from "../domain/JobId.js"
import { WallClock } from "../store/WallClock.js"
import type { Closing } from "./Closing.js"

/** @since 0.1.0 */
export interface Health {
  /** Everything that happened is recorded. */
  readonly healthy: boolean
  /** Jobs with something that could not be written yet, and why. */
  readonly unrecorded: ReadonlyArray<{ readonly jobId: JobId; readonly error: StoreError }>
}

export interface Durable {
  /** Retries a write of this job until it succeeds or is refused; fails with the store's error only once the manager is over. */
  readonly persist: <A, E>(jobId: JobId, write: Effect.Effect<A, E | StoreError>) => Effect.Effect<A, E | StoreError>
  /** What keeps this job from being recorded at the moment. */
  readonly trouble: (jobId: JobId) => Effect.Effect<StoreError | undefined>
  readonly health: Effect.Effect<Health>
}

const firstPause = 20
const longestPause = 1_000

export const make = (closing: Closing): Effect.Effect<Durable> =>
  Effect.map(WallClock, (clock) => {
    const troubles = new Map<JobId, StoreError>()

    const persist: Durable["persist"] = <A, E>(jobId: JobId, write: Effect.Effect<A, E | StoreError>) => {
      const attempt = (pause: number): Effect.Effect<A, E | StoreError> =>
        Effect.catchAll(write, (error) => (isStoreError(error) ? afterTrouble(error, pause) : Effect.fail(error)))

      const afterTrouble = (error: StoreError, pause: number): Effect.Effect<A, E | StoreError> =>
        Effect.gen(function* () {
          if (error.reason === "closed" || (yield* closing.isOver)) return yield* error
          if (!troubles.has(jobId))
            yield* Effect.annotateLogs(
              Effect.logError(`job ${jobId} cannot be recorded, trying again: ${error.message}`),
              { jobId }
            )
          troubles.set(jobId, error)
          // In a fiber of its own: an interruption of the job would reach a wait in this one, although its end cannot be
          // interrupted, and the end would be lost.
          yield* Effect.flatMap(Effect.forkDaemon(closing.orOver(clock.sleep(pause))), Fiber.join)
          return yield* attempt(Math.min(pause * 2, longestPause))
        })

      // Nothing is put around a write that succeeds at once, as nearly all do.
      return Effect.catchAll(write, (error) =>
        isStoreError(error)
          ? Effect.ensuring(
              afterTrouble(error, firstPause),
              Effect.sync(() => void troubles.delete(jobId))
            )
          : Effect.fail(error)
      )
    }

    return {
      persist,
      trouble: (jobId) => Effect.sync(() => troubles.get(jobId)),
      health: Effect.sync(() => ({
        healthy: troubles.size === 0,
        unrecorded: [...troubles].map(([jobId, error]) => ({ jobId, error }))
      }))
    }
  })

const isStoreError = (error: unknown): error is StoreError =>
  typeof error === "object" && error !== null && "_tag" in error && error._tag === "StoreError"
