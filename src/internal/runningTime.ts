/**
 * Time during which this process could run. Limits and grace periods do not count time while the process is stopped (SIGSTOP,
 * Ctrl-Z), its container is paused, or the machine is suspended.
 */
import { Clock, Duration, Effect } from "effect"

/** How late a timer may fire on a busy machine, in milliseconds. A longer delay counts as a pause of the process. */
const maxDelay = 500

/** How much of the time between two clock readings counts, for a sleep of `intended`. */
export const counted = (from: number, to: number, intended: number): number =>
  Math.min(Math.max(0, to - from), intended + maxDelay)

/** A pause counts as at most one interval plus `maxDelay`, so intervals are short, but long enough that a long sleep has few. */
const intervalOf = (millis: number): number => Math.ceil(Math.min(Math.max(10, millis / 20), 10_000))

/** Sleeps for a duration of running time. */
export const sleep = (duration: Duration.Duration): Effect.Effect<void> =>
  Effect.gen(function* () {
    const total = Duration.toMillis(duration)
    const interval = intervalOf(total)
    for (let left = total; left > 0;) {
      const length = Math.min(interval, left)
      const from = yield* Clock.currentTimeMillis
      yield* Effect.sleep(length)
      left -= counted(from, yield* Clock.currentTimeMillis, length)
    }
  })
