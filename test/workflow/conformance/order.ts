/** The order of the example. */
import { expect, it } from "@effect/vitest"
import { DurableDeferred } from "@effect/workflow"
import type { RunStore } from "charlotte"
import { Effect, Exit, Fiber, Layer, Option, TestClock } from "effect"
import { NotPacked, Order, OrderLayer, Packed, Shop } from "../../../examples/order/Order.js"
import { reaches, runOf, stepsOf, withEngine } from "../scene.js"

/** A shop that notes what it is asked to do. */
const noting = (asked: Array<string>) =>
  withEngine(
    Layer.provide(OrderLayer, Layer.succeed(Shop, { ask: (what) => Effect.sync(() => void asked.push(what)) }))
  )

const a = { order: "a", cents: 100 }

const pack = (executionId: string, parcel: string) =>
  DurableDeferred.succeed(Packed, {
    token: DurableDeferred.tokenFromExecutionId(Packed, { workflow: Order, executionId }),
    value: { parcel }
  })

export const order = (store: Layer.Layer<RunStore.RunStore>): void => {
  it.effect("ships what is packed in time, and is not disturbed when its time is over", () =>
    Effect.gen(function* () {
      const asked: Array<string> = []
      yield* Effect.gen(function* () {
        const order = yield* Effect.fork(Order.execute(a))
        const id = yield* Order.executionId(a)
        yield* reaches(Order, id, "parked")
        yield* TestClock.adjust("29 days")
        expect(asked).toEqual(["reserve", "charge"])
        yield* pack(id, "P-1")
        yield* pack(id, "P-2")
        expect(yield* Fiber.join(order)).toBe("P-1")
        yield* TestClock.adjust("2 days")
        const run = Option.getOrThrow(yield* runOf(Order, id))
        expect(run).toMatchObject({ status: "completed", attempt: 2, result: "P-1" })
        expect(yield* stepsOf(run.id)).toEqual([
          "activity/reserve/1",
          "activity/charge/1",
          "clock/late",
          "activity/ship/1",
          "exit"
        ])
      }).pipe(noting(asked))
      expect(asked).toEqual(["reserve", "charge", "ship"])
    }).pipe(Effect.provide(store))
  )

  it.effect("ships at once what was packed before", () =>
    Effect.gen(function* () {
      const asked: Array<string> = []
      yield* Effect.gen(function* () {
        yield* pack(yield* Order.executionId(a), "P-1")
        expect(yield* Order.execute(a)).toBe("P-1")
      }).pipe(noting(asked))
      expect(asked).toEqual(["reserve", "charge", "ship"])
    }).pipe(Effect.provide(store))
  )

  it.effect("gives back everything when it is not packed in time", () =>
    Effect.gen(function* () {
      const asked: Array<string> = []
      yield* Effect.gen(function* () {
        const order = yield* Effect.fork(Order.execute(a))
        const id = yield* Order.executionId(a)
        yield* reaches(Order, id, "parked")
        yield* TestClock.adjust("30 days")
        expect(yield* Effect.flip(Fiber.join(order))).toEqual(new NotPacked({ order: "a" }))
        yield* pack(id, "P-1")
        expect(yield* Effect.flip(Order.execute(a))).toEqual(new NotPacked({ order: "a" }))
      }).pipe(noting(asked))
      expect(asked).toEqual(["reserve", "charge", "refund", "release"])
    }).pipe(Effect.provide(store))
  )

  it.effect("gives back everything once when it is stopped while it waits", () =>
    Effect.gen(function* () {
      const asked: Array<string> = []
      yield* Effect.gen(function* () {
        const order = yield* Effect.fork(Order.execute(a))
        const id = yield* Order.executionId(a)
        yield* reaches(Order, id, "parked")
        yield* Order.interrupt(id)
        expect(Exit.isInterrupted(yield* Fiber.await(order))).toBe(true)
        yield* reaches(Order, id, "cancelled")
        yield* pack(id, "P-1")
        yield* TestClock.adjust("31 days")
      }).pipe(noting(asked))
      expect(asked).toEqual(["reserve", "charge", "refund", "release"])
    }).pipe(Effect.provide(store))
  )
}
