import { describe, expect, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Ref, TestClock } from "effect"
import { first } from "../../src/manager/First.js"
import { endsWhereverInterrupted } from "../support/interruption.js"

describe("the first of several", () => {
  it.effect("decides, once the others have cleaned up, also where nothing can be interrupted", () =>
    Effect.gen(function* () {
      const order = yield* Ref.make<ReadonlyArray<string>>([])
      const say = (what: string) => Ref.update(order, (all) => [...all, what])
      const slow = Effect.onInterrupt(Effect.never, () => Effect.zipRight(Effect.sleep("1 second"), say("cleaned up")))
      const both = first([slow, Effect.delay(Effect.succeed("quick"), "1 second")])
      const fiber = yield* Effect.fork(Effect.uninterruptible(Effect.ensuring(both, say("over"))))
      yield* TestClock.adjust("2 seconds")
      expect(yield* Fiber.join(fiber)).toBe("quick")
      expect(yield* Ref.get(order)).toEqual(["cleaned up", "over"])
      expect(yield* Effect.exit(first([Effect.never, Effect.fail("no")]))).toEqual(Exit.fail("no"))
    })
  )

  it.live("ends when it is interrupted at operation k = 1 … 200, and nothing of it goes on", () =>
    endsWhereverInterrupted((one) => first([one, one]))
  )
})
