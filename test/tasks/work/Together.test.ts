import { describe, expect, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Option, Ref, TestClock } from "effect"
import { together } from "../../../src/tasks/work/Together.js"
import { endsWhereverInterrupted } from "../../support/interruption.js"

const second = Effect.sleep("1 second")

describe("what is done together", () => {
  it.effect("is done at the same time, and ends with the last", () =>
    Effect.gen(function* () {
      const all = yield* Effect.fork(together([second, Effect.sleep("3 seconds"), second]))
      yield* TestClock.adjust("2999 millis")
      expect(Option.isNone(yield* Fiber.poll(all))).toBe(true)
      yield* TestClock.adjust("1 millis")
      expect(yield* Fiber.join(all)).toBeUndefined()
      yield* together<never, never>([])
    })
  )

  it.effect("ends with the first failure, once the others have cleaned up", () =>
    Effect.gen(function* () {
      const order = yield* Ref.make<ReadonlyArray<string>>([])
      const say = (what: string) => Ref.update(order, (all) => [...all, what])
      const other = Effect.onInterrupt(Effect.never, () => Effect.zipRight(Effect.sleep("1 second"), say("cleaned up")))
      const all = yield* Effect.fork(
        Effect.ensuring(together([other, Effect.delay(Effect.fail("no"), "1 second")]), say("over"))
      )
      yield* TestClock.adjust("2 seconds")
      expect(yield* Fiber.await(all)).toEqual(Exit.fail("no"))
      expect(yield* Ref.get(order)).toEqual(["cleaned up", "over"])
    })
  )

  it.live("ends when it is interrupted at operation k = 1 … 200, and nothing of it goes on", () =>
    endsWhereverInterrupted((one) => together([one, one, one]))
  )
})
