import * as SqlClient from "@effect/sql/SqlClient"
import { expect, it } from "@effect/vitest"
import { Runs } from "charlotte"
import { Context, Effect, Layer, Ref } from "effect"
import { Mailer } from "../src/Mailer.ts"
import { Orders } from "../src/Orders.ts"
import { Receipt } from "../src/Receipt.ts"
import * as Shop from "../src/Shop.ts"

const shop = Effect.gen(function* () {
  const sent = yield* Ref.make(0)
  const counting = Layer.succeed(Mailer, { send: () => Ref.update(sent, (n) => n + 1) })
  const context = yield* Layer.build(Layer.provide(Shop.layerWithoutMailer(":memory:"), counting))
  return { context, sent: Ref.get(sent) }
})

const order = { customer: "ada@example.com", cents: 1999 }

it.scoped("an order and the job of its receipt are recorded together", () =>
  Effect.gen(function* () {
    const { context, sent } = yield* shop
    const placed = yield* Context.get(context, Orders).place(order)
    expect(yield* Context.get(context, Receipt).await(placed.receipt)).toMatchObject({
      status: "completed",
      config: { order: placed.order, to: "ada@example.com" }
    })
    expect(yield* sent).toBe(1)
  })
)

it.scoped("an order that is rolled back has no receipt", () =>
  Effect.gen(function* () {
    const { context, sent } = yield* shop
    const sql = Context.get(context, SqlClient.SqlClient)
    const orders = Context.get(context, Orders)
    const refused = Effect.zipRight(orders.place(order), Effect.fail("the card was refused"))
    expect(yield* Effect.flip(sql.withTransaction(refused))).toBe("the card was refused")
    expect(yield* orders.list).toEqual([])
    expect(yield* Context.get(context, Runs.Runs).list()).toEqual([])
    expect(yield* sent).toBe(0)
  })
)
