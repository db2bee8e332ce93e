import { describe, expect, it } from "@effect/vitest"
import { Effect, Fiber, Option, Ref } from "effect"
import * as Permits from "../../src/internal/Permits.js"
import { interruptedEverywhere, everyStep, type Round } from "../support/interruption.js"

const turns = Effect.repeatN(Effect.yieldNow(), 20)

type WithPermit = <A>(self: Effect.Effect<A>) => Effect.Effect<A>

/** Interrupts a caller that waits for the only permit wherever it can be interrupted; the permit has to be free afterwards. */
const waiterInterrupted = (make: () => WithPermit) =>
  interruptedEverywhere(everyStep, () =>
    Effect.gen(function* () {
      const withPermit = make()
      const latch = yield* Effect.makeLatch()
      yield* Effect.forkDaemon(withPermit(latch.await))
      yield* Effect.yieldNow()
      // It is freed while the caller waits.
      yield* Effect.forkDaemon(Effect.zipRight(Effect.yieldNow(), latch.open))
      const round: Round<never> = {
        call: withPermit(Effect.void),
        check: () =>
          Effect.gen(function* () {
            const next = yield* Effect.forkDaemon(withPermit(Effect.void))
            yield* turns
            if (Option.isNone(yield* Fiber.poll(next))) return yield* Effect.fail("lost")
          })
      }
      return round
    })
  )

describe("a permit", () => {
  it.live("is not lost where a caller is interrupted, whether it waits or not", () =>
    Effect.map(
      waiterInterrupted(() => Permits.make(1)),
      (rounds) => expect(rounds).toBeGreaterThan(10)
    )
  )

  it.live("of Effect's own semaphore is lost: when this fails, src/internal/Permits.ts may no longer be needed", () =>
    Effect.map(Effect.flip(waiterInterrupted(() => Effect.unsafeMakeSemaphore(1).withPermits(1))), (lost) =>
      expect(lost).toBe("lost")
    )
  )

  it.effect("is given in the order of the callers, to so many at once, and not to one that was interrupted", () =>
    Effect.gen(function* () {
      const withPermit = Permits.make(2)
      const began = yield* Ref.make<ReadonlyArray<number>>([])
      const latches = yield* Effect.forEach([0, 1, 2, 3, 4], () => Effect.makeLatch())
      const fibers = yield* Effect.forEach(latches, ({ await: end }, n) =>
        Effect.fork(
          withPermit(
            Effect.zipRight(
              Ref.update(began, (all) => [...all, n]),
              end
            )
          )
        )
      )
      yield* turns
      expect(yield* Ref.get(began)).toEqual([0, 1])
      yield* Effect.forEach(fibers.slice(2, 3), (fiber) => Fiber.interrupt(fiber))
      yield* Effect.forEach(latches.slice(1, 2), (latch) => latch.open)
      yield* turns
      expect(yield* Ref.get(began)).toEqual([0, 1, 3])
      yield* Effect.forEach(fibers.slice(0, 1), (fiber) => Fiber.interrupt(fiber))
      yield* turns
      expect(yield* Ref.get(began)).toEqual([0, 1, 3, 4])
    })
  )
})
