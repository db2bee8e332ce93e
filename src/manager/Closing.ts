/**
 * How a manager comes to its end: first it takes no more jobs, then all jobs have ended, then the streams run out.
 */
import { Deferred, Duration, Effect, type Scope } from "effect"
import { WallClock } from "../store/WallClock.js"
import * as Together from "./Together.js"

export interface Closing {
  /** No more jobs are taken; fibers are being interrupted. */
  readonly hasBegun: () => boolean
  readonly begin: Effect.Effect<void>
  /** Waits for `effect`; tells whether it was done in time. */
  readonly withinDeadline: (effect: Effect.Effect<void>, deadline: Duration.Duration) => Effect.Effect<boolean>
  /** The deadline has passed: what is not written now never will be. */
  readonly isOver: Effect.Effect<boolean>
  /** Waits for `effect`, but no longer than until it is over. */
  readonly orOver: (effect: Effect.Effect<void>) => Effect.Effect<void>
  /** Ends it, and gives the open streams a moment to read what was committed last. */
  readonly end: Effect.Effect<void>
  /** A stream is open, for as long as its scope. */
  readonly stream: Effect.Effect<void, never, Scope.Scope>
}

/** Milliseconds for the open streams to run out; one that nobody reads cannot hold the manager back. */
const lastMoment = 1_000
const pause = 2

export const make: Effect.Effect<Closing> = Effect.gen(function* () {
  const over = yield* Deferred.make<void>()
  const clock = yield* WallClock
  let begun = false
  let streams = 0

  const drained = (left: number): Effect.Effect<void> =>
    Effect.suspend(() =>
      streams === 0 || left <= 0 ? Effect.void : Effect.zipRight(clock.sleep(pause), drained(left - pause))
    )

  return {
    hasBegun: () => begun,
    begin: Effect.sync(() => {
      begun = true
    }),
    // On either clock: that of a test may stand still, and the process still has to end.
    withinDeadline: (effect, deadline) =>
      Together.first([
        Effect.as(effect, true),
        Effect.as(clock.sleep(Duration.toMillis(deadline)), false),
        Effect.as(Effect.sleep(deadline), false)
      ]),
    isOver: Deferred.isDone(over),
    orOver: (effect) => Together.first([effect, Deferred.await(over)]),
    end: Effect.zipRight(Deferred.succeed(over, undefined), drained(lastMoment)),
    stream: Effect.acquireRelease(
      Effect.sync(() => {
        streams += 1
      }),
      () =>
        Effect.sync(() => {
          streams -= 1
        })
    )
  }
})
