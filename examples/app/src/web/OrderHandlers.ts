/**
 * Takes orders, and says what became of their receipts.
 */
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as HttpApiError from "@effect/platform/HttpApiError"
import { Effect, Option } from "effect"
import { Orders } from "../Orders.ts"
import { Receipt } from "../Receipt.ts"
import { Api } from "./Api.ts"
import { placeOrder } from "./placeOrder.ts"

export const layer = HttpApiBuilder.group(Api, "orders", (handlers) =>
  Effect.gen(function* () {
    const orders = yield* Orders
    const receipts = yield* Receipt.Producer
    return handlers
      .handle("place", ({ path: { number }, payload }) =>
        placeOrder({ number, ...payload }).pipe(
          Effect.map((job) => ({ job })),
          Effect.catchAll((error) =>
            error._tag === "QueueFull" || error._tag === "IdempotencyKeyReused" ? Effect.fail(error) : Effect.die(error)
          )
        )
      )
      .handle("receipt", ({ path: { number } }) =>
        Effect.gen(function* () {
          const order = yield* Effect.orDie(orders.find(number))
          if (Option.isNone(order)) return yield* new HttpApiError.NotFound()
          // Responds once the job has ended, in whatever process it runs.
          const { status } = yield* Effect.orDie(receipts.await(order.value.receipt))
          return { status }
        })
      )
  })
)
