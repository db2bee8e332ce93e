/**
 * Real time, for what must go on under any `Clock`: waiting for a lock that another process holds, looking after the
 * database file, gathering a batch of writes. Everything else takes its time from Effect's `Clock`.
 */
import { Clock, Context, Duration, Effect } from "effect"
import { performance } from "node:perf_hooks"

export interface Service {
  /** Milliseconds, from any origin. */
  readonly now: Effect.Effect<number>
  /** Waits so many milliseconds. */
  readonly sleep: (millis: number) => Effect.Effect<void>
  /** One turn of the event loop: whatever is ready to run has run. */
  readonly turn: Effect.Effect<void>
}

export class RealClock extends Context.Reference<RealClock>()("charlotte/RealClock", {
  defaultValue: (): Service => ({
    now: Effect.sync(() => performance.now()),
    sleep: (millis) =>
      Effect.async<void>((resume) => {
        const timer = setTimeout(() => resume(Effect.void), millis)
        return Effect.sync(() => clearTimeout(timer))
      }),
    turn: Effect.async<void>((resume) => {
      setImmediate(() => resume(Effect.void))
    })
  })
}) {}

/** Real time as a `Clock`, for the schedules of retries that must go on while the clock of a test stands still. */
export const asClock: Effect.Effect<Clock.Clock> = Effect.map(RealClock, ({ now, sleep }) => ({
  [Clock.ClockTypeId]: Clock.ClockTypeId,
  unsafeCurrentTimeMillis: () => performance.now(),
  currentTimeMillis: now,
  unsafeCurrentTimeNanos: () => BigInt(Math.round(performance.now() * 1e6)),
  currentTimeNanos: Effect.map(now, (millis) => BigInt(Math.round(millis * 1e6))),
  sleep: (duration) => sleep(Duration.toMillis(duration))
}))
