import * as SqlClient from "@effect/sql/SqlClient"
import { Effect } from "effect"

/** Submission data of the orchestrator, immutable like the configuration. */
export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  yield* sql.unsafe(`
    ALTER TABLE charlotte_runs ADD COLUMN submission TEXT CHECK (submission IS NULL OR json_valid(submission))`)

  yield* sql.unsafe(`DROP TRIGGER charlotte_runs_identity`)

  yield* sql.unsafe(`
    CREATE TRIGGER charlotte_runs_identity
    BEFORE UPDATE OF id, kind, config, labels, created_at, submission ON charlotte_runs
    WHEN NEW.id <> OLD.id OR NEW.kind <> OLD.kind OR NEW.config <> OLD.config OR NEW.labels <> OLD.labels
      OR NEW.created_at <> OLD.created_at OR NEW.submission IS NOT OLD.submission
    BEGIN
      SELECT RAISE(ABORT, 'charlotte: what a run was submitted with never changes');
    END`)
})
