/** Prepares 20,000 statements and has them collected, which is where better-sqlite3 12 aborts on Node 24. */
import * as SqlClient from "@effect/sql/SqlClient"
import { Database } from "charlotte"
import { Effect } from "effect"

const program = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  for (let n = 0; n < 20_000; n++) {
    yield* sql.unsafe(`SELECT ${n} AS n`)
    if (n % 1_000 === 999) globalThis.gc()
  }
})

await Effect.runPromise(Effect.provide(program, Database.layer({ filename: process.argv[2] })))
globalThis.gc()
