import * as SqlClient from "@effect/sql/SqlClient"
import { Effect } from "effect"

/** The schedules of jobs. The last run may have been pruned, so nothing refers to it. A reset alone moves the last tick back. */
export const schedules = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  yield* sql.unsafe(`
    CREATE TABLE charlotte_schedules (
      kind TEXT NOT NULL CHECK (kind <> ''),
      name TEXT NOT NULL CHECK (name <> ''),
      definition TEXT NOT NULL CHECK (json_valid(definition)),
      registered_at INTEGER NOT NULL,
      last_tick INTEGER,
      last_run TEXT,
      paused_at INTEGER,
      paused_by TEXT,
      skipped INTEGER NOT NULL DEFAULT 0 CHECK (skipped >= 0),
      skipped_tick INTEGER,
      skipped_reason TEXT,
      reset_at INTEGER,
      reset_from INTEGER,
      PRIMARY KEY (kind, name)
    ) STRICT, WITHOUT ROWID`)

  yield* sql.unsafe(`
    CREATE TRIGGER charlotte_schedules_forward BEFORE UPDATE OF last_tick, registered_at ON charlotte_schedules
    WHEN (NEW.last_tick < OLD.last_tick OR (NEW.last_tick IS NULL AND OLD.last_tick IS NOT NULL)
      OR NEW.registered_at < OLD.registered_at) AND NEW.reset_at IS OLD.reset_at
    BEGIN
      SELECT RAISE(ABORT, 'charlotte: the last tick of a schedule moves forward only');
    END`)
})
