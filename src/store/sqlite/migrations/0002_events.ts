import * as SqlClient from "@effect/sql/SqlClient"
import { Effect } from "effect"

/** The append-only event log. `AUTOINCREMENT` never reuses a cursor, even after pruning. */
export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  yield* sql.unsafe(`
    CREATE TABLE charlotte_events (
      cursor INTEGER PRIMARY KEY AUTOINCREMENT,
      job_id TEXT NOT NULL REFERENCES charlotte_runs (id) ON DELETE CASCADE,
      seq INTEGER NOT NULL CHECK (seq >= 1),
      at INTEGER NOT NULL,
      type TEXT NOT NULL CHECK (type <> ''),
      unit TEXT,
      task INTEGER,
      payload TEXT,
      UNIQUE (job_id, seq)
    ) STRICT`)

  yield* sql.unsafe(`
    CREATE UNIQUE INDEX charlotte_events_terminal ON charlotte_events (job_id)
    WHERE type IN ('job.completed', 'job.failed', 'job.cancelled')`)

  yield* sql.unsafe(`
    CREATE TRIGGER charlotte_events_terminal_status BEFORE INSERT ON charlotte_events
    WHEN NEW.type IN ('job.completed', 'job.failed', 'job.cancelled')
      AND 'job.' || (SELECT status FROM charlotte_runs WHERE id = NEW.job_id) IS NOT NEW.type
    BEGIN
      SELECT RAISE(ABORT, 'charlotte: a terminal event says what the status of its run says');
    END`)

  yield* sql.unsafe(`
    CREATE TRIGGER charlotte_events_append_only BEFORE UPDATE ON charlotte_events
    BEGIN
      SELECT RAISE(ABORT, 'charlotte: events are append-only');
    END`)
})
