import * as SqlClient from "@effect/sql/SqlClient"
import { Effect } from "effect"

/** The machine of an owner; NULL in a database of one machine. */
export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  yield* sql.unsafe("ALTER TABLE charlotte_owners ADD COLUMN machine TEXT")
})
