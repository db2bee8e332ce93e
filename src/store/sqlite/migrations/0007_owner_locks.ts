import * as SqlClient from "@effect/sql/SqlClient"
import { Effect } from "effect"

/** The file lock of an owner; NULL in a record of version 0.1.0, whose owner is alive while its process is. */
export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql.unsafe("ALTER TABLE charlotte_owners ADD COLUMN lock_path TEXT")
  yield* sql.unsafe("ALTER TABLE charlotte_owners ADD COLUMN lock_file TEXT")
})
