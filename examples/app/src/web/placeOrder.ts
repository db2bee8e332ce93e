/**
 * Records an order together with the job that sends its receipt: both, or neither.
 */
import { RunStore } from "charlotte"
import { DateTime, Effect } from "effect"
import { Order, Orders } from "../Orders.ts"
import { Receipt } from "../Receipt.ts"

export const placeOrder = ({ cents, customer, number }: Pick<Order, "number" | "customer" | "cents">) =>
  Effect.gen(function* () {
    const orders = yield* Orders
    const receipts = yield* Receipt.Producer
    const day = DateTime.formatIsoDateUtc(yield* DateTime.now)
    // One row of the transaction: the worker sees the job once it is committed, and never if it is rolled back. By its idempotency key
    // a second start for the same order is the same job.
    const config = { order: number, to: customer, cents }
    const receipt = yield* receipts.start(config, { idempotencyKey: `order-${number}` })
    yield* orders.insert(new Order({ number, customer, cents, day, receipt }))
    return receipt
  }).pipe(RunStore.transaction)
