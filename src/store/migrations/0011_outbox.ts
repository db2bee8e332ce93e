import * as SqlClient from "@effect/sql/SqlClient"
import { Effect } from "effect"
import { addColumn } from "./addColumn.js"

/**
 * Runs that a transaction of the application inserts. They have no event before the manager has seen the commit, and until
 * then they are in the outbox. What the check finds out of such a run is recorded when it begins.
 */
export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  yield* addColumn(sql, "outbox", "INTEGER NOT NULL DEFAULT 0 CHECK (outbox = 0 OR status = 'pending')")
  yield* sql.unsafe(`CREATE INDEX IF NOT EXISTS charlotte_runs_outbox ON charlotte_runs (kind, id) WHERE outbox = 1`)

  yield* sql.unsafe(`DROP TRIGGER charlotte_runs_identity`)
  yield* sql.unsafe(`
    CREATE TRIGGER charlotte_runs_identity
    BEFORE UPDATE OF id, kind, config, labels, submission, start_key, idempotency_key, request, priority, created_at, start_at
    ON charlotte_runs
    WHEN NEW.id <> OLD.id OR NEW.kind <> OLD.kind OR NEW.config <> OLD.config OR NEW.labels <> OLD.labels
      OR (NEW.submission IS NOT OLD.submission AND (OLD.submission IS NOT NULL OR OLD.status <> 'pending'))
      OR NEW.start_key IS NOT OLD.start_key
      OR NEW.idempotency_key IS NOT OLD.idempotency_key OR NEW.request IS NOT OLD.request
      OR NEW.priority <> OLD.priority OR NEW.created_at <> OLD.created_at OR NEW.start_at IS NOT OLD.start_at
    BEGIN
      SELECT RAISE(ABORT, 'charlotte: what a run was submitted with never changes');
    END`)
})
