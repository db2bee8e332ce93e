import * as SqlClient from "@effect/sql/SqlClient"
import { Effect } from "effect"

/**
 * Idempotency keys of requests that have attached to a job: with such a key, that job is answered for as long as it is kept. The key
 * of the start itself is in the row of the run.
 */
export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  yield* sql.unsafe(`
    CREATE TABLE charlotte_attached_keys (
      kind TEXT NOT NULL,
      idempotency_key TEXT NOT NULL,
      request TEXT NOT NULL,
      job_id TEXT NOT NULL REFERENCES charlotte_runs (id) ON DELETE CASCADE,
      PRIMARY KEY (kind, idempotency_key)
    ) STRICT, WITHOUT ROWID`)
  yield* sql.unsafe("CREATE INDEX charlotte_attached_keys_job ON charlotte_attached_keys (job_id)")
})
