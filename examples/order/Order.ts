import { Activity, DurableClock, DurableDeferred, Workflow } from "@effect/workflow"
import { Context, Effect, Schema } from "effect"

/** What the shop asks others to do. The key is the same whenever a step is repeated, so that they can recognise it. */
export class Shop extends Context.Tag("Shop")<
  Shop,
  { readonly ask: (what: "reserve" | "release" | "charge" | "refund" | "ship", key: string) => Effect.Effect<void> }
>() {}

export class NotPacked extends Schema.TaggedError<NotPacked>()("NotPacked", { order: Schema.String }) {}

export const Order = Workflow.make({
  name: "Order",
  payload: { order: Schema.String, cents: Schema.Int },
  success: Schema.String,
  error: NotPacked,
  idempotencyKey: ({ order }) => order
})

/** The warehouse says so, at any time, even before the order is there. */
export const Packed = DurableDeferred.make("packed", { success: Schema.Struct({ parcel: Schema.String }) })

const ask = (what: Parameters<Shop["Type"]["ask"]>[0]) =>
  Activity.make({
    name: what,
    execute: Effect.flatMap(Shop, (shop) => Effect.flatMap(Activity.idempotencyKey(what), (key) => shop.ask(what, key)))
  })

/** Reserves, charges, waits for the parcel for 30 days, and ships. Whatever goes wrong, what it has done is undone, the last first. */
export const OrderLayer = Order.toLayer(({ order }) =>
  Effect.gen(function* () {
    yield* ask("reserve").pipe(Order.withCompensation(() => ask("release")))
    yield* ask("charge").pipe(Order.withCompensation(() => ask("refund")))
    const { parcel } = yield* DurableDeferred.raceAll({
      name: "packed or late",
      success: Packed.successSchema,
      error: NotPacked,
      effects: [
        DurableDeferred.await(Packed),
        Effect.zipRight(DurableClock.sleep({ name: "late", duration: "30 days" }), new NotPacked({ order }))
      ]
    })
    yield* ask("ship")
    return parcel
  })
)
