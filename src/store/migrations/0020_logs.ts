import * as SqlClient from "@effect/sql/SqlClient"
import { Effect } from "effect"

/**
 * The log of a child process and its end, and where nodes reach each other, for readers on other machines: NULL in a database of one
 * machine.
 */
export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  yield* sql.unsafe("ALTER TABLE charlotte_attempts ADD COLUMN log TEXT")
  yield* sql.unsafe("ALTER TABLE charlotte_attempts ADD COLUMN tail TEXT")
  yield* sql.unsafe("ALTER TABLE charlotte_nodes ADD COLUMN url TEXT")
})
