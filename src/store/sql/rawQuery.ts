/**
 * Statements while a database is opened, past the templates of the client: every start waits for them, and there each takes
 * several times as long.
 */
import type { SqlClient } from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import { Effect } from "effect"

/** The rows of a statement of ours, which are what it says. */
export type RawQuery = <Row = unknown>(statement: string) => Effect.Effect<ReadonlyArray<Row>, SqlError>

/** On the one connection of the client; nobody else uses that yet. */
export const of = (sql: SqlClient): Effect.Effect<RawQuery, SqlError> =>
  Effect.map(Effect.scoped(sql.reserve), (connection) => (statement) => connection.execute(statement, [], undefined))
