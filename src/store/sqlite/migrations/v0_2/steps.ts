import * as SqlClient from "@effect/sql/SqlClient"
import { Effect } from "effect"

/**
 * The steps of jobs. They belong to the first run of a chain of retries; `run_id` is the run that has done a step, and `tries` how often
 * that run had been retried before.
 */
export const steps = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  yield* sql.unsafe(`
    CREATE TABLE charlotte_steps (
      job_id TEXT NOT NULL REFERENCES charlotte_runs (id) ON DELETE CASCADE,
      name TEXT NOT NULL CHECK (name <> ''),
      seq INTEGER NOT NULL CHECK (seq >= 1),
      run_id TEXT NOT NULL,
      attempt INTEGER NOT NULL CHECK (attempt >= 1),
      tries INTEGER NOT NULL CHECK (tries >= 0),
      at INTEGER NOT NULL,
      millis INTEGER NOT NULL CHECK (millis >= 0),
      ok INTEGER NOT NULL CHECK (ok IN (0, 1)),
      value TEXT CHECK (value IS NULL OR json_valid(value)),
      PRIMARY KEY (job_id, name)
    ) STRICT`)
  yield* sql.unsafe(`
    CREATE TRIGGER charlotte_steps_final BEFORE UPDATE ON charlotte_steps
    BEGIN
      SELECT RAISE(ABORT, 'charlotte: a recorded step never changes');
    END`)
})
