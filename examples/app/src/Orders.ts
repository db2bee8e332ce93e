/**
 * Orders, in a table of the application beside Charlotte's tables.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import type { errors, JobId } from "charlotte"
import { Context, DateTime, Effect, Layer, type ParseResult, Schema } from "effect"
import { Receipt } from "./Receipt.ts"

export class Order extends Schema.Class<Order>("Order")({
  id: Schema.Int,
  customer: Schema.String,
  cents: Schema.Int,
  day: Schema.String
}) {}

export const NewOrder = Schema.Struct({
  customer: Schema.NonEmptyString,
  cents: Schema.Int.pipe(Schema.positive())
})

export interface Placed {
  readonly order: number
  /** The job that sends the receipt. */
  readonly receipt: JobId.JobId
}

export interface Totals {
  readonly orders: number
  readonly cents: number
}

type DatabaseError = SqlError | ParseResult.ParseError

export class Orders extends Context.Tag("shop/Orders")<
  Orders,
  {
    /** Records an order together with the job that sends its receipt: both, or neither. */
    readonly place: (
      order: typeof NewOrder.Type
    ) => Effect.Effect<Placed, DatabaseError | errors.QueueFull | errors.ShuttingDown>
    readonly list: Effect.Effect<ReadonlyArray<Order>, DatabaseError>
    readonly totals: (day: string) => Effect.Effect<Totals, DatabaseError>
  }
>() {}

const decodeOrders = Schema.decodeUnknown(Schema.Array(Order))
const decodeTotals = Schema.decodeUnknown(
  Schema.NonEmptyArray(Schema.Struct({ orders: Schema.Int, cents: Schema.Int }))
)

export const layer = Layer.effect(
  Orders,
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const receipts = yield* Receipt
    yield* sql`CREATE TABLE IF NOT EXISTS orders (
      id INTEGER PRIMARY KEY, customer TEXT NOT NULL, cents INTEGER NOT NULL, day TEXT NOT NULL)`

    return {
      place: ({ cents, customer }) =>
        Effect.gen(function* () {
          const day = DateTime.formatIsoDateUtc(yield* DateTime.now)
          const rows = yield* sql`INSERT INTO orders ${sql.insert({ customer, cents, day })} RETURNING *`
          const [order] = yield* decodeOrders(rows)
          if (order === undefined) return yield* Effect.dieMessage("an insert has returned no row")
          // Part of the transaction: the job begins once it is committed, and never if it is rolled back.
          const receipt = yield* receipts.start({ order: order.id, to: customer })
          return { order: order.id, receipt }
        }).pipe(
          sql.withTransaction,
          Effect.catchTags({
            // Cannot occur: in a transaction, a job always queues; and no start here has a key.
            KindPaused: Effect.die,
            MaxJobsReached: Effect.die,
            JobConflict: Effect.die,
            IdempotencyKeyReused: Effect.die,
            InvalidJobConfig: Effect.die,
            StoreError: Effect.die
          })
        ),
      list: Effect.flatMap(sql`SELECT * FROM orders ORDER BY id DESC LIMIT 100`, decodeOrders),
      totals: (day) =>
        sql`SELECT count(*) AS orders, coalesce(sum(cents), 0) AS cents FROM orders WHERE day = ${day}`.pipe(
          Effect.flatMap(decodeTotals),
          Effect.map(([totals]) => totals)
        )
    }
  })
)
