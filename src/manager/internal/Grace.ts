/**
 * The grace period of a job: how long its orchestrator may take to end once a stop has interrupted it.
 */
import { Deferred, Duration, Effect, Fiber, FiberId } from "effect"
import * as runningTime from "../../internal/runningTime.js"

export interface Grace {
  /** The current grace; the orchestrator reads it without an effect, as `JobContext.grace`. */
  readonly current: () => Duration.Duration
  /** Starts the grace period of a stop, or shortens the current one; a longer grace changes nothing. */
  readonly limit: (grace: Duration.Duration) => Effect.Effect<void>
  /** Ends the grace period and its timer, once the job has ended. */
  readonly end: Effect.Effect<void>
  /** Completes when the grace is over, or the job has ended meanwhile. */
  readonly over: Effect.Effect<void>
  readonly isOver: Effect.Effect<boolean>
}

export const make = (options: {
  /** The grace period without a stop. */
  readonly initial: Duration.Duration
  /** Runs a timer in a fiber of the manager. */
  readonly fork: (timer: Effect.Effect<void>) => Effect.Effect<Fiber.Fiber<void>>
}): Effect.Effect<Grace> =>
  Effect.map(Deferred.make<void>(), (over) => {
    const { fork, initial } = options
    let limited: Duration.Duration | undefined
    // The first timer to end belongs to the shortest grace, so none has to be stopped while another begins.
    let stopTimers: Effect.Effect<void> = Effect.void

    return {
      current: () => limited ?? initial,
      limit: (grace) =>
        Effect.gen(function* () {
          if (limited !== undefined && Duration.lessThanOrEqualTo(limited, grace)) return
          limited = grace
          if (yield* Deferred.isDone(over)) return
          const timer = yield* fork(Effect.zipRight(runningTime.sleep(grace), Deferred.succeed(over, undefined)))
          stopTimers = Effect.zipRight(stopTimers, Fiber.interruptAsFork(timer, FiberId.none))
          // The job may have ended while the timer was begun.
          if (yield* Deferred.isDone(over)) yield* stopTimers
        }).pipe(Effect.uninterruptible),
      end: Effect.suspend(() => Effect.zipRight(Deferred.succeed(over, undefined), stopTimers)),
      over: Deferred.await(over),
      isOver: Deferred.isDone(over)
    }
  })
