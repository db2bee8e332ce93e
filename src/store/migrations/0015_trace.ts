import * as SqlClient from "@effect/sql/SqlClient"
import { Effect } from "effect"

/** The trace of a run, as JSON; NULL where nothing traced its start. */
export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  yield* sql.unsafe("ALTER TABLE charlotte_runs ADD COLUMN trace TEXT")
})
