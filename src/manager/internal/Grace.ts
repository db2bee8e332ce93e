/**
 * The grace period of a job: how long its orchestrator may take to end once a stop has interrupted it.
 */
import { Deferred, Duration, Effect, MutableRef, Option } from "effect"
import * as runningTime from "../../internal/runningTime.js"

export interface Grace {
  /** The current grace; the orchestrator reads it without an effect, as `JobContext.grace`. */
  readonly current: () => Duration.Duration
  /** Starts the grace period of a stop, or shortens the current one; a longer grace changes nothing. */
  readonly limit: (grace: Duration.Duration) => Effect.Effect<void>
  /** Completes when the grace is over, or the job has ended meanwhile. */
  readonly over: Effect.Effect<void>
  readonly isOver: Effect.Effect<boolean>
}

export const make = (options: {
  /** The grace period without a stop. */
  readonly initial: Duration.Duration
  /** Completes when the job has ended. */
  readonly ended: Effect.Effect<unknown>
  /** Runs a timer in a fiber of the manager. */
  readonly fork: (timer: Effect.Effect<void>) => Effect.Effect<void>
}): Effect.Effect<Grace> =>
  Effect.map(Deferred.make<void>(), (over) => {
    const { ended, fork, initial } = options
    const limited = MutableRef.make(Option.none<Duration.Duration>())

    return {
      current: () => Option.getOrElse(MutableRef.get(limited), () => initial),
      limit: (grace) =>
        Effect.suspend(() => {
          if (Option.exists(MutableRef.get(limited), Duration.lessThanOrEqualTo(grace))) return Effect.void
          MutableRef.set(limited, Option.some(grace))
          // The end of the job ends the timer.
          return fork(Effect.zipRight(runningTime.awaitWithin(ended, grace), Deferred.succeed(over, undefined)))
        }),
      over: Deferred.await(over),
      isOver: Deferred.isDone(over)
    }
  })
