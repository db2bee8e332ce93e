import { describe, expect, it } from "@effect/vitest"
import { Deferred, Effect, Fiber } from "effect"
import * as Later from "../../src/internal/Later.js"

describe("Later", () => {
  it.effect("makes its value once, on first use", () =>
    Effect.gen(function* () {
      let made = 0
      const later = yield* Later.make(Effect.sync(() => ++made))
      expect([later.isWanted(), made]).toEqual([false, 0])
      expect(yield* Effect.all([later.get, later.get, later.get], { concurrency: "unbounded" })).toEqual([1, 1, 1])
      expect([later.isWanted(), made]).toEqual([true, 1])
    })
  )

  it.effect("still makes its value for other callers if the first is interrupted", () =>
    Effect.gen(function* () {
      const begun = yield* Deferred.make<void>()
      const latch = yield* Deferred.make<void>()
      const later = yield* Later.make(
        Effect.as(Effect.zipRight(Deferred.succeed(begun, undefined), Deferred.await(latch)), "made")
      )
      const first = yield* Effect.fork(later.get)
      yield* Deferred.await(begun)
      yield* Fiber.interrupt(first)
      const second = yield* Effect.fork(later.get)
      yield* Deferred.succeed(latch, undefined)
      expect(yield* Fiber.join(second)).toBe("made")
    })
  )
})
