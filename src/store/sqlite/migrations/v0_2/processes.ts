import * as SqlClient from "@effect/sql/SqlClient"
import { Effect } from "effect"

/** The machine of a process and of an owner, and the log of a process and its end: NULL in a database of one machine. */
export const processes = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  for (const column of ["machine", "log", "tail"]) {
    yield* sql.unsafe(`ALTER TABLE charlotte_attempts ADD COLUMN ${column} TEXT`)
  }
  yield* sql.unsafe("ALTER TABLE charlotte_owners ADD COLUMN machine TEXT")
})
