/**
 * Statements for opening a database, without the statement templates of the client, whose first use delays every start.
 */
import type { SqlClient } from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import { Effect } from "effect"
import { reserve } from "./reserve.js"

/** Runs a statement; its rows are trusted to have type `Row`. */
export type RawQuery = <Row = unknown>(statement: string) => Effect.Effect<ReadonlyArray<Row>, SqlError>

/** Uses the single connection of the client, before it is shared. */
export const of = (sql: SqlClient): Effect.Effect<RawQuery, SqlError> =>
  Effect.map(Effect.scoped(reserve(sql)), (connection) => (statement) => connection.execute(statement, [], undefined))
