import * as SqlClient from "@effect/sql/SqlClient"
import { Effect } from "effect"

/** The directory in which a unit is worked on; the session in which the agent last worked on a task, and what it said last. */
export const work = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  yield* sql.unsafe("ALTER TABLE charlotte_units ADD COLUMN worktree TEXT")
  yield* sql.unsafe(`ALTER TABLE charlotte_tasks ADD COLUMN session TEXT CHECK (json_type(session) = 'object')`)
  yield* sql.unsafe("ALTER TABLE charlotte_tasks ADD COLUMN said TEXT")
})
