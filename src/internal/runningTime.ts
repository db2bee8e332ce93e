/**
 * Time in which this process could run. It cannot while it is stopped (SIGSTOP, Ctrl-Z), its container is paused, or the machine
 * sleeps; a limit or a grace period that ran out meanwhile would blame a job for that.
 */
import { Clock, Duration, Effect, Option } from "effect"

/** How late a timer may be, in milliseconds, on a machine that is busy. What is later was a pause. */
const maxDelay = 500

/** How much of the time between two readings of a clock counts, where `intended` was to pass. */
export const counted = (from: number, to: number, intended: number): number =>
  Math.min(Math.max(0, to - from), intended + maxDelay)

/** A pause counts as one interval and `maxDelay`, so intervals are short; but a long time is not made of very many. */
const intervalOf = (millis: number): number => Math.min(Math.max(10, millis / 20), 10_000)

/** Sleeps for so much running time. */
export const sleep = (duration: Duration.Duration): Effect.Effect<void> =>
  repeat(duration, (interval) => Effect.as(Effect.sleep(interval), false))

/** Returns after so much running time, or earlier once `ended` succeeds, for which it waits again and again. */
export const awaitWithin = (ended: Effect.Effect<unknown>, duration: Duration.Duration): Effect.Effect<void> =>
  repeat(duration, (interval) => Effect.map(Effect.timeoutOption(ended, interval), Option.isSome))

const repeat = (duration: Duration.Duration, wait: (interval: number) => Effect.Effect<boolean>) =>
  Effect.gen(function* () {
    const total = Duration.toMillis(duration)
    const interval = intervalOf(total)
    for (let left = total; left > 0;) {
      const length = Math.min(interval, left)
      const from = yield* Clock.currentTimeMillis
      if (yield* wait(length)) return
      left -= counted(from, yield* Clock.currentTimeMillis, length)
    }
  })
