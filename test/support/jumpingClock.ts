/**
 * A clock that runs with real time, and jumps ahead when a test says so: what sleeps on it until then wakes up.
 */
import { Clock, Duration, Effect } from "effect"

interface Sleeper {
  readonly until: number
  readonly wake: () => void
  timer?: NodeJS.Timeout
}

/** The longest that a timer of Node waits. */
const longest = 2 ** 31 - 1

export const make = Effect.sync(() => {
  let ahead = 0
  const sleepers = new Set<Sleeper>()

  const now = () => Date.now() + ahead
  const nanos = () => BigInt(now()) * 1_000_000n

  const wait = (sleeper: Sleeper): void => {
    clearTimeout(sleeper.timer)
    const left = sleeper.until - now()
    const elapsed = () => {
      if (sleeper.until > now()) return wait(sleeper)
      sleepers.delete(sleeper)
      sleeper.wake()
    }
    sleeper.timer = setTimeout(elapsed, Math.min(Math.max(left, 0), longest))
  }

  const clock: Clock.Clock = {
    [Clock.ClockTypeId]: Clock.ClockTypeId,
    unsafeCurrentTimeMillis: now,
    unsafeCurrentTimeNanos: nanos,
    currentTimeMillis: Effect.sync(now),
    currentTimeNanos: Effect.sync(nanos),
    sleep: (duration) =>
      Effect.async<void>((resume) => {
        const sleeper: Sleeper = { until: now() + Duration.toMillis(duration), wake: () => resume(Effect.void) }
        sleepers.add(sleeper)
        wait(sleeper)
        return Effect.sync(() => {
          sleepers.delete(sleeper)
          clearTimeout(sleeper.timer)
        })
      })
  }

  return {
    clock,
    jump: (duration: Duration.DurationInput) =>
      Effect.sync(() => {
        ahead += Duration.toMillis(duration)
        for (const sleeper of sleepers) wait(sleeper)
      })
  }
})

/** Runs a test on such a clock. */
export const jumping = <A, E, R>(
  test: (jump: (duration: Duration.DurationInput) => Effect.Effect<void>) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> => Effect.flatMap(make, ({ clock, jump }) => Effect.withClock(test(jump), clock))
