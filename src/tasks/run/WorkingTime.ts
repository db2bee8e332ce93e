/**
 * Measures for how long all units of a job have waited, within one attempt of the job: its time limit does not count that.
 */
import { Clock, Duration, Effect } from "effect"

export interface WorkingTime {
  /** Runs work: while any runs, the job does not wait. */
  readonly work: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /** Runs a wait within work. */
  readonly pause: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /** For how long nothing has been at work, in all. */
  readonly waited: Effect.Effect<Duration.Duration>
}

export const make: Effect.Effect<WorkingTime> = Effect.gen(function* () {
  let atWork = 0
  let total = 0
  let since = yield* Clock.currentTimeMillis

  const change = (by: number) =>
    Effect.map(Clock.currentTimeMillis, (now) => {
      // A clock that was set back counts as no time.
      if (atWork === 0) total += Math.max(0, now - since)
      since = now
      atWork += by
    })
  const around =
    (by: number): WorkingTime["work"] =>
    (effect) =>
      Effect.acquireUseRelease(
        change(by),
        () => effect,
        () => change(-by)
      )

  return {
    work: around(1),
    pause: around(-1),
    waited: Effect.map(change(0), () => Duration.millis(total))
  }
})
