import * as SqlClient from "@effect/sql/SqlClient"
import { Effect } from "effect"

/** The cursors of subscribers, and the events that their handlers have failed on. */
export const subscribers = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  yield* sql.unsafe(`
    CREATE TABLE charlotte_subscribers (
      name TEXT NOT NULL PRIMARY KEY CHECK (name <> ''),
      cursor INTEGER NOT NULL CHECK (cursor >= 0),
      kinds TEXT CHECK (kinds IS NULL OR json_valid(kinds)),
      types TEXT CHECK (types IS NULL OR json_valid(types)),
      hold INTEGER NOT NULL CHECK (hold >= 0),
      skipped INTEGER NOT NULL DEFAULT 0 CHECK (skipped >= 0),
      gap_from INTEGER,
      gap_to INTEGER,
      holder TEXT,
      held_until INTEGER,
      created_at INTEGER NOT NULL,
      moved_at INTEGER NOT NULL,
      CHECK ((gap_from IS NULL) = (gap_to IS NULL))
    ) STRICT, WITHOUT ROWID`)

  yield* sql.unsafe(`
    CREATE TRIGGER charlotte_subscribers_forward BEFORE UPDATE OF cursor ON charlotte_subscribers
    WHEN NEW.cursor < OLD.cursor
    BEGIN
      SELECT RAISE(ABORT, 'charlotte: the cursor of a subscriber moves forward only');
    END`)

  yield* sql.unsafe(`
    CREATE TABLE charlotte_undelivered (
      subscriber TEXT NOT NULL,
      cursor INTEGER NOT NULL,
      job_id TEXT NOT NULL REFERENCES charlotte_runs (id) ON DELETE CASCADE,
      failed_at INTEGER NOT NULL,
      aside INTEGER NOT NULL DEFAULT 0 CHECK (aside IN (0, 1)),
      error TEXT NOT NULL,
      PRIMARY KEY (subscriber, cursor)
    ) STRICT, WITHOUT ROWID`)
  yield* sql.unsafe("CREATE INDEX charlotte_undelivered_job ON charlotte_undelivered (job_id)")
})
