import * as SqlClient from "@effect/sql/SqlClient"
import { Effect } from "effect"

/** Child processes of jobs: inserted before each spawn, closed once the process tree is gone. */
export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  yield* sql.unsafe(`
    CREATE TABLE charlotte_attempts (
      cookie TEXT NOT NULL PRIMARY KEY,
      job_id TEXT NOT NULL REFERENCES charlotte_runs (id) ON DELETE CASCADE,
      attempt INTEGER NOT NULL CHECK (attempt >= 1),
      boot_id TEXT NOT NULL,
      purpose TEXT NOT NULL,
      opened_at INTEGER NOT NULL,
      pid INTEGER,
      start_time TEXT,
      closed_at INTEGER
    ) STRICT, WITHOUT ROWID`)

  yield* sql.unsafe(`
    CREATE INDEX charlotte_attempts_unclosed ON charlotte_attempts (job_id) WHERE closed_at IS NULL`)
})
