import * as SqlClient from "@effect/sql/SqlClient"
import { Effect } from "effect"

/**
 * Indexes for every combination of filters of labels, in listing order. Labels repeat the kind of their run, which is immutable,
 * and its status, which a trigger updates.
 */
export const labels = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  yield* sql.unsafe(`DROP TRIGGER charlotte_runs_labels`)
  yield* sql.unsafe(`DROP TABLE charlotte_labels`)

  yield* sql.unsafe(`
    CREATE TABLE charlotte_labels (
      name TEXT NOT NULL,
      value TEXT NOT NULL,
      run_id TEXT NOT NULL REFERENCES charlotte_runs (id) ON DELETE CASCADE,
      kind TEXT NOT NULL,
      status TEXT NOT NULL,
      PRIMARY KEY (name, value, run_id)
    ) STRICT, WITHOUT ROWID`)

  yield* sql.unsafe(`
    INSERT INTO charlotte_labels (name, value, run_id, kind, status)
    SELECT l.key, l.value, r.id, r.kind, r.status FROM charlotte_runs r JOIN json_each(r.labels) l
    WHERE r.labels <> '{}' ORDER BY l.key, l.value, r.id`)

  yield* sql.unsafe(`CREATE INDEX charlotte_labels_run ON charlotte_labels (run_id)`)
  yield* sql.unsafe(`CREATE INDEX charlotte_labels_kind ON charlotte_labels (name, value, kind, run_id)`)
  yield* sql.unsafe(`CREATE INDEX charlotte_labels_status ON charlotte_labels (name, value, status, run_id)`)
  yield* sql.unsafe(`CREATE INDEX charlotte_labels_kind_status ON charlotte_labels (name, value, kind, status, run_id)`)
})

/** The triggers belong to the table of runs, which is built again after the labels. */
export const labelTriggers = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  yield* sql.unsafe(`
    CREATE TRIGGER charlotte_runs_labels AFTER INSERT ON charlotte_runs WHEN NEW.labels <> '{}'
    BEGIN
      INSERT INTO charlotte_labels (name, value, run_id, kind, status)
      SELECT key, value, NEW.id, NEW.kind, NEW.status FROM json_each(NEW.labels);
    END`)

  yield* sql.unsafe(`
    CREATE TRIGGER charlotte_runs_label_status AFTER UPDATE OF status ON charlotte_runs
    WHEN NEW.status <> OLD.status AND NEW.labels <> '{}'
    BEGIN
      UPDATE charlotte_labels SET status = NEW.status WHERE run_id = NEW.id;
    END`)
})
