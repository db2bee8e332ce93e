import { describe, expect, it } from "@effect/vitest"
import { Effect, Ref } from "effect"
import * as race from "../../src/internal/race.js"
import { poll, RealClock } from "../../src/internal/RealClock.js"

/** A real clock whose sleeps take no time, and the time that they have taken. */
const fast = Effect.map(Ref.make(0), (time) => ({
  time,
  clock: {
    now: Ref.get(time),
    sleep: (millis: number) => Ref.update(time, (now) => now + millis),
    turn: Effect.void
  }
}))

describe("poll", () => {
  it.effect("repeats a check until its result is good", () =>
    Effect.gen(function* () {
      const { clock, time } = yield* fast
      const tries = yield* Ref.make(0)
      const check = Ref.updateAndGet(tries, (n) => n + 1)
      const result = poll(check, { until: (n) => n === 3, pause: 20, atMost: 60_000 })
      expect(yield* Effect.provideService(result, RealClock, clock)).toBe(3)
      expect(yield* Ref.get(time)).toBe(40)
    })
  )

  it.effect("answers with the last result when time is up", () =>
    Effect.gen(function* () {
      const { clock } = yield* fast
      const result = poll(Effect.succeed("not yet"), { until: () => false, pause: 100, atMost: 1_000 })
      expect(yield* Effect.provideService(result, RealClock, clock)).toBe("not yet")
    })
  )
})

describe("sleep", () => {
  it.live.each([2 ** 31, Infinity])(
    "does not return early after %d ms, which exceed the longest timer of Node",
    (millis) =>
      Effect.gen(function* () {
        const { sleep } = yield* RealClock
        const winner = race.first([Effect.as(sleep(millis), "long"), Effect.as(sleep(50), "short")])
        expect(yield* winner).toBe("short")
      })
  )
})
