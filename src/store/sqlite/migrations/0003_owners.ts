import * as SqlClient from "@effect/sql/SqlClient"
import { Effect } from "effect"

/** The process that manages the jobs of each kind. */
export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  yield* sql.unsafe(`
    CREATE TABLE charlotte_owners (
      kind TEXT NOT NULL PRIMARY KEY,
      id TEXT NOT NULL,
      pid INTEGER NOT NULL,
      boot_id TEXT NOT NULL,
      start_time TEXT NOT NULL,
      pid_namespace TEXT NOT NULL
    ) STRICT, WITHOUT ROWID`)
})
