/**
 * Real time, for code that must proceed under any `Clock`: waiting for a lock that another process holds, checking the database
 * file, collecting a batch of writes. Everything else uses Effect's `Clock`.
 */
import { Clock, Context, Duration, Effect, type Predicate, Schedule } from "effect"
import { performance } from "node:perf_hooks"

export interface Service {
  /** Milliseconds, from any origin, by a clock that cannot be set. */
  readonly now: Effect.Effect<number>
  /** Sleeps for a number of milliseconds. */
  readonly sleep: (millis: number) => Effect.Effect<void>
  /** Yields for one turn of the event loop, so that all ready tasks have run. */
  readonly turn: Effect.Effect<void>
}

/** The longest delay of `setTimeout`, 24.8 days; a longer delay would fire at once. */
const maxTimer = 2 ** 31 - 1

const sleep = (millis: number): Effect.Effect<void> =>
  millis > maxTimer
    ? Effect.flatMap(sleep(maxTimer), () => sleep(millis - maxTimer))
    : Effect.async((resume) => {
        const timer = setTimeout(() => resume(Effect.void), millis)
        return Effect.sync(() => clearTimeout(timer))
      })

export class RealClock extends Context.Reference<RealClock>()("charlotte/RealClock", {
  defaultValue: (): Service => ({
    now: Effect.sync(() => performance.now()),
    sleep,
    turn: Effect.async<void>((resume) => {
      setImmediate(() => resume(Effect.void))
    })
  })
}) {}

/** The time that the machine shows, in milliseconds since 1970, under any `Clock`. */
export class MachineTime extends Context.Reference<MachineTime>()("charlotte/MachineTime", {
  defaultValue: () => Clock.make().currentTimeMillis
}) {}

/** Real time as a `Clock`, for retry schedules that must proceed while a `TestClock` does not advance. */
export const asClock: Effect.Effect<Clock.Clock> = Effect.map(RealClock, ({ now, sleep }) => ({
  [Clock.ClockTypeId]: Clock.ClockTypeId,
  unsafeCurrentTimeMillis: () => performance.now(),
  currentTimeMillis: now,
  unsafeCurrentTimeNanos: () => BigInt(Math.round(performance.now() * 1e6)),
  currentTimeNanos: Effect.map(now, (millis) => BigInt(Math.round(millis * 1e6))),
  sleep: (duration) => sleep(Duration.toMillis(duration))
}))

/** Repeats a check with pauses of real time until its result is good, or time is up; returns the last result. */
export const poll = <A, E, R>(
  check: Effect.Effect<A, E, R>,
  options: {
    readonly until: Predicate.Predicate<A>
    readonly pause: Duration.DurationInput
    readonly atMost: Duration.DurationInput
  }
): Effect.Effect<A, E, R> =>
  Effect.flatMap(asClock, (clock) =>
    Effect.clockWith((callers) =>
      Effect.repeat(
        Effect.withClock(check, callers),
        Schedule.identity<A>().pipe(
          Schedule.zipLeft(Schedule.spaced(options.pause)),
          Schedule.zipLeft(Schedule.upTo(Schedule.forever, options.atMost)),
          Schedule.untilInput(options.until)
        )
      ).pipe(Effect.withClock(clock))
    )
  )
