import { describe, expect, it } from "@effect/vitest"
import { Effect, Fiber, Option, Order, Ref } from "effect"
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

  it.effect("is given by rank, then in the order of the callers, to as many as fit after a change of the size", () =>
    Effect.gen(function* () {
      const queue = new Permits.Queue(1, Order.number)
      const began = yield* Ref.make<ReadonlyArray<string>>([])
      const latch = yield* Effect.makeLatch()
      const waited = yield* Ref.make(0)
      const wait: Permits.Permits = (take) =>
        Effect.zipRight(
          Ref.update(waited, (count) => count + 1),
          take
        )
      const start = (name: string, rank: number) =>
        Effect.fork(
          Permits.ranked(
            queue,
            rank,
            wait
          )(
            Effect.zipRight(
              Ref.update(began, (all) => [...all, name]),
              latch.await
            )
          )
        )
      const first = yield* start("first", 9)
      yield* turns
      for (const [name, rank] of [
        ["c", 2],
        ["a", 1],
        ["d", 2],
        ["b", 1]
      ] as const)
        yield* start(name, rank)
      yield* turns
      expect([yield* Ref.get(began), yield* Ref.get(waited), queue.used]).toEqual([["first"], 4, 1])
      yield* Fiber.interrupt(first)
      yield* turns
      expect(yield* Ref.get(began)).toEqual(["first", "a"])
      queue.resize(3)
      yield* turns
      expect([yield* Ref.get(began), queue.used]).toEqual([["first", "a", "b", "c"], 3])
      yield* latch.open
      yield* turns
      expect([yield* Ref.get(began), queue.used]).toEqual([["first", "a", "b", "c", "d"], 0])
    })
  )

  it.effect("that is lent is free for others, and comes back before callers that never had one", () =>
    Effect.gen(function* () {
      const queue = new Permits.Queue(1, Order.number)
      const log = yield* Ref.make<ReadonlyArray<string>>([])
      const note = (text: string) => Ref.update(log, (all) => [...all, text])
      const [lent, other] = [yield* Effect.makeLatch(), yield* Effect.makeLatch()]
      const permit = Permits.lendable(queue)
      yield* Effect.fork(permit.hold(Effect.all([note("lends"), permit.lend(lent.await), note("is back")])))
      yield* turns
      yield* Effect.fork(Permits.lendable(queue).hold(Effect.zipRight(note("other"), other.await)))
      yield* Effect.fork(Permits.lendable(queue).hold(note("later")))
      yield* turns
      yield* lent.open
      yield* turns
      expect(yield* Ref.get(log)).toEqual(["lends", "other"])
      yield* other.open
      yield* turns
      expect(yield* Ref.get(log)).toEqual(["lends", "other", "is back", "later"])
      expect(queue.used).toBe(0)
    })
  )

  it.live("that is lent is not lost or given back twice where its holder is interrupted", () =>
    Effect.gen(function* () {
      const rounds = yield* interruptedEverywhere(everyStep, () =>
        Effect.sync(() => {
          const queue = new Permits.Queue(1, Order.number)
          const permit = Permits.lendable(queue)
          const round: Round<never> = {
            call: permit.hold(permit.lend(Effect.yieldNow())),
            check: () => (queue.used === 0 ? Effect.void : Effect.fail("lost"))
          }
          return round
        })
      )
      expect(rounds).toBeGreaterThan(5)
    })
  )
})
