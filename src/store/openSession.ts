/**
 * The session on a `SqlClient` of any database.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import { Effect, Option } from "effect"
import { StoreError } from "../domain/errors.js"
import * as PostgresSession from "./postgres/PostgresSession.js"
import { type Session, transactionOf } from "./sql/Session.js"
import * as SqliteSession from "./sqlite/SqliteSession.js"

export type Database = "sqlite" | "postgres"

export const databaseOf = (sql: SqlClient.SqlClient): Database | undefined =>
  sql.onDialectOrElse({
    sqlite: (): Database | undefined => "sqlite",
    pg: (): Database | undefined => "postgres",
    orElse: (): Database | undefined => undefined
  })

export const openSession: Effect.Effect<Session, StoreError, SqlClient.SqlClient> = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const database = databaseOf(sql)
  if (database === undefined) {
    const cause = new Error(
      "RunStore.layer requires a client of SQLite or PostgreSQL; provide Database.layer, Database.layerPostgres, or a client of @effect/sql-sqlite-node or @effect/sql-pg"
    )
    return yield* new StoreError({ operation: "open the store", reason: "other", cause })
  }
  if (Option.isSome(transactionOf(yield* Effect.context<never>()))) {
    return yield* Effect.dieMessage(
      "the store was opened inside a transaction; build its layer outside the transaction"
    )
  }
  return yield* database === "sqlite" ? SqliteSession.make(sql) : PostgresSession.make(sql)
})
