import type { SqlClient } from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import { Effect } from "effect"

/**
 * Adds a column to the runs, unless it is there: a database of 0.1.0 has got all of them with the table that is built again, since
 * SQLite reads and checks every row when a column is added, which takes four seconds for a million.
 */
export const addColumn = (sql: SqlClient, name: string, definition: string): Effect.Effect<void, SqlError> =>
  Effect.flatMap(sql.unsafe(`SELECT 1 FROM pragma_table_info('charlotte_runs') WHERE name = '${name}'`), (found) =>
    found.length > 0
      ? Effect.void
      : Effect.asVoid(sql.unsafe(`ALTER TABLE charlotte_runs ADD COLUMN ${name} ${definition}`))
  )
