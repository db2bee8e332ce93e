import * as SqlClient from "@effect/sql/SqlClient"
import { Database, JobKind, RunStore } from "charlotte"
import { Config, Console, Effect, Layer, Schema } from "effect"

class Invoice extends JobKind.Tag<Invoice>()("invoice", { config: Schema.Struct({ order: Schema.Int }) }) {}

const InvoiceLayer = Invoice.layer({ run: ({ config: { order } }) => Console.log(`invoice for order ${order}`) })

// Such as postgres://app@db.internal/app, with the password in PGPASSWORD or in the file of PGPASSFILE.
const Postgres = Layer.unwrapEffect(
  Effect.map(Config.redacted("DATABASE_URL"), (url) => Database.layerPostgres({ url }))
)

const Jobs = InvoiceLayer.pipe(Layer.provide(RunStore.layer), Layer.provideMerge(Postgres))

const program = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const invoices = yield* Invoice
  yield* sql`CREATE TABLE IF NOT EXISTS orders (number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY)`

  // The order and its job are committed together.
  const id = yield* sql.withTransaction(
    Effect.gen(function* () {
      const [order] = yield* sql<{ number: string }>`INSERT INTO orders DEFAULT VALUES RETURNING number`
      return yield* invoices.start({ order: Number(order?.number) })
    })
  )
  const run = yield* invoices.await(id)
  yield* Console.log(run.status)
})

await Effect.runPromise(Effect.provide(program, Jobs))
