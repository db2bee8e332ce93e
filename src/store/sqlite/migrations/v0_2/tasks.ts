import * as SqlClient from "@effect/sql/SqlClient"
import { Effect } from "effect"

/** The session in which the agent last worked on a task. */
export const tasks = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql.unsafe(`ALTER TABLE charlotte_tasks ADD COLUMN session TEXT CHECK (json_type(session) = 'object')`)
})
