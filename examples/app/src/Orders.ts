/**
 * Orders, in a table of the application beside Charlotte's tables.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import * as SqlSchema from "@effect/sql/SqlSchema"
import { JobId } from "charlotte"
import { Effect, Schema } from "effect"
import { Day } from "./Report.ts"

export const OrderNumber = Schema.Int.pipe(Schema.between(1, 2 ** 31 - 1))

export class Order extends Schema.Class<Order>("Order")({
  number: OrderNumber,
  customer: Schema.String,
  cents: Schema.Int,
  day: Day,
  /** The job that sends its receipt. */
  receipt: JobId.JobId
}) {}

const Totals = Schema.Struct({ orders: Schema.Int, cents: Schema.Int })

export class Orders extends Effect.Service<Orders>()("shop/Orders", {
  effect: Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    yield* sql`CREATE TABLE IF NOT EXISTS orders (
      number INTEGER PRIMARY KEY, customer TEXT NOT NULL, cents INTEGER NOT NULL, day TEXT NOT NULL, receipt TEXT NOT NULL
    )`.pipe(
      // On PostgreSQL it can fail where another process creates the table at the same moment; then the table is there.
      Effect.retry({ times: 1 })
    )
    return {
      /** Does nothing if there is an order of that number. */
      insert: SqlSchema.void({
        Request: Order,
        execute: (order) => sql`INSERT INTO orders ${sql.insert(order)} ON CONFLICT (number) DO NOTHING`
      }),
      find: SqlSchema.findOne({
        Request: OrderNumber,
        Result: Order,
        execute: (number) => sql`SELECT * FROM orders WHERE number = ${number}`
      }),
      totals: SqlSchema.single({
        Request: Day,
        Result: Totals,
        // As numbers on both databases: PostgreSQL counts in `bigint`, which its driver returns as text.
        execute: (day) => sql`
          SELECT CAST(count(*) AS DOUBLE PRECISION) AS orders, CAST(coalesce(sum(cents), 0) AS DOUBLE PRECISION) AS cents
          FROM orders WHERE day = ${day}`
      })
    }
  })
}) {}
