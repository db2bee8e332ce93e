import * as SqlClient from "@effect/sql/SqlClient"
import { Effect } from "effect"

/** The machines of processes and owners, and the logs and ends of processes: NULL in a database of one machine. */
export const processes = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  for (const column of ["machine", "log", "tail"]) {
    yield* sql.unsafe(`ALTER TABLE charlotte_attempts ADD COLUMN ${column} TEXT`)
  }
  yield* sql.unsafe("ALTER TABLE charlotte_owners ADD COLUMN machine TEXT")
})
