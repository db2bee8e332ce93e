import { expect, it } from "@effect/vitest"
import { Runs, RunStore } from "charlotte"
import { Effect, Layer, Option } from "effect"
import { Orders } from "../src/Orders.ts"
import { Receipt } from "../src/Receipt.ts"
import { placeOrder } from "../src/web/placeOrder.ts"
import { database } from "./database.ts"

const shop = Layer.provideMerge(Layer.merge(Orders.Default, Receipt.producer), database)

const order = { number: 7, customer: "ada@example.com", cents: 1999 }

const jobs = Effect.flatMap(Runs.Runs, (runs) => runs.list({ kind: "receipt" }))

it.effect("an order and the job of its receipt are recorded together, once", () =>
  Effect.gen(function* () {
    const { find } = yield* Orders
    const receipt = yield* placeOrder(order)
    expect(yield* placeOrder(order)).toBe(receipt)
    expect(yield* find(order.number)).toMatchObject(Option.some({ ...order, receipt }))
    expect(yield* jobs).toMatchObject([{ id: receipt, status: "pending", labels: { order: "7" } }])
  }).pipe(Effect.provide(shop))
)

it.effect("an order that is rolled back has no receipt", () =>
  Effect.gen(function* () {
    const { find } = yield* Orders
    const refused = Effect.zipRight(placeOrder(order), Effect.fail("the card was refused"))
    expect(yield* Effect.flip(RunStore.transaction(refused))).toBe("the card was refused")
    expect(yield* find(order.number)).toEqual(Option.none())
    expect(yield* jobs).toEqual([])
  }).pipe(Effect.provide(shop))
)
