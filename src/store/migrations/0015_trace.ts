import * as SqlClient from "@effect/sql/SqlClient"
import { Effect } from "effect"
import { addColumn } from "./addColumn.js"

/** The trace of a run, as JSON; NULL where nothing traced its start. */
export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  yield* addColumn(sql, "trace", "TEXT")
})
