import { describe, expect, it } from "@effect/vitest"
import { Chunk, Duration, Effect, Fiber, TestClock } from "effect"
import * as runningTime from "../../src/internal/runningTime.js"
import { clockOf } from "../support/clockOf.js"

const hour = 3_600_000

/** A clock whose process is suspended for an hour in the nth sleep; counts the sleeps. */
const pausing = (nth: number) => {
  let [now, sleeps] = [0, 0]
  const clock = clockOf(
    () => now,
    (duration) =>
      Effect.sync(() => {
        now += Duration.toMillis(duration) + (++sleeps === nth ? hour : 0)
      }).pipe(Effect.zipLeft(Effect.yieldNow()))
  )
  return { clock, seen: () => ({ now, sleeps }) }
}

describe("runningTime.sleep", () => {
  it.effect("counts an hour of suspension as half a second", () =>
    Effect.gen(function* () {
      const { clock, seen } = pausing(3)
      yield* Effect.withClock(runningTime.sleep(Duration.seconds(5)), clock)
      expect(seen().now).toBe(hour + 4_500)
    })
  )

  it.effect("takes exactly its duration without a pause", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.fork(runningTime.sleep(Duration.seconds(5)))
      yield* TestClock.adjust("4999 millis")
      expect(fiber.unsafePoll()).toBeNull()
      yield* TestClock.adjust("1 millis")
      yield* Fiber.join(fiber)
    })
  )

  it.effect("wakes up at whole milliseconds", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.fork(runningTime.sleep(Duration.millis(333)))
      yield* Effect.yieldNow()
      const sleeps = Chunk.toReadonlyArray(yield* TestClock.sleeps())
      expect(sleeps.filter((at) => !Number.isInteger(at))).toEqual([])
      yield* Fiber.interrupt(fiber)
    })
  )

  it.effect("wakes up about every 10 seconds of a long duration, and at once for zero", () =>
    Effect.gen(function* () {
      const day = pausing(0)
      yield* Effect.withClock(runningTime.sleep(Duration.days(1)), day.clock)
      expect(day.seen()).toEqual({ now: 24 * hour, sleeps: 8_640 })
      const none = pausing(0)
      yield* Effect.withClock(runningTime.sleep(Duration.zero), none.clock)
      expect(none.seen().sleeps).toBe(0)
    })
  )
})
