import * as SqlClient from "@effect/sql/SqlClient"
import { Effect } from "effect"

/** Runs. The schema enforces the state machine as well. */
export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  yield* sql.unsafe(`
    CREATE TABLE charlotte_runs (
      id TEXT NOT NULL PRIMARY KEY CHECK (length(id) = 26),
      kind TEXT NOT NULL CHECK (kind <> ''),
      status TEXT NOT NULL
        CHECK (status IN ('pending', 'running', 'interrupted', 'completed', 'failed', 'cancelled')),
      attempt INTEGER NOT NULL CHECK (attempt >= 1),
      key TEXT,
      config TEXT NOT NULL CHECK (json_valid(config)),
      labels TEXT NOT NULL CHECK (json_type(labels) = 'object'),
      created_at INTEGER NOT NULL,
      started_at INTEGER,
      stopping_at INTEGER,
      ended_at INTEGER,
      crashes INTEGER NOT NULL DEFAULT 0 CHECK (crashes >= 0),
      result TEXT CHECK (result IS NULL OR json_valid(result)),
      error TEXT CHECK (error IS NULL OR json_valid(error)),
      CHECK ((status IN ('completed', 'failed', 'cancelled')) = (ended_at IS NOT NULL)),
      CHECK ((status = 'pending') = (started_at IS NULL) OR status = 'cancelled'),
      CHECK (stopping_at IS NULL OR status NOT IN ('pending', 'interrupted')),
      CHECK ((status = 'completed') = (result IS NOT NULL)),
      CHECK (CASE status WHEN 'failed' THEN error IS NOT NULL WHEN 'cancelled' THEN TRUE ELSE error IS NULL END)
    ) STRICT`)

  // Two active jobs cannot share a key.
  yield* sql.unsafe(`
    CREATE UNIQUE INDEX charlotte_runs_active_key ON charlotte_runs (kind, key)
    WHERE key IS NOT NULL AND status IN ('pending', 'running')`)

  yield* sql.unsafe(`CREATE INDEX charlotte_runs_kind ON charlotte_runs (kind, id)`)
  yield* sql.unsafe(`CREATE INDEX charlotte_runs_status ON charlotte_runs (status, id)`)

  yield* sql.unsafe(`
    CREATE TRIGGER charlotte_runs_transition BEFORE UPDATE ON charlotte_runs
    WHEN NOT (
      (OLD.status = 'pending' AND NEW.status IN ('pending', 'running', 'cancelled'))
      OR (OLD.status = 'running' AND NEW.status IN ('running', 'completed', 'failed', 'cancelled', 'interrupted'))
      OR (OLD.status = 'interrupted' AND NEW.status IN ('running', 'failed', 'cancelled'))
    )
    BEGIN
      SELECT RAISE(ABORT, 'charlotte: this change of status is not in the state machine');
    END`)

  yield* sql.unsafe(`
    CREATE TRIGGER charlotte_runs_attempt BEFORE UPDATE ON charlotte_runs
    WHEN NEW.attempt <> OLD.attempt + (OLD.status = 'interrupted' AND NEW.status = 'running')
    BEGIN
      SELECT RAISE(ABORT, 'charlotte: an interrupted run goes on as its next attempt, and nothing else begins one');
    END`)

  yield* sql.unsafe(`
    CREATE TRIGGER charlotte_runs_identity BEFORE UPDATE OF id, kind, config, labels, created_at ON charlotte_runs
    WHEN NEW.id <> OLD.id OR NEW.kind <> OLD.kind OR NEW.config <> OLD.config OR NEW.labels <> OLD.labels
      OR NEW.created_at <> OLD.created_at
    BEGIN
      SELECT RAISE(ABORT, 'charlotte: what a run was submitted with never changes');
    END`)

  // An index on labels, so that a filter does not scan the whole history.
  yield* sql.unsafe(`
    CREATE TABLE charlotte_labels (
      name TEXT NOT NULL,
      value TEXT NOT NULL,
      run_id TEXT NOT NULL REFERENCES charlotte_runs (id) ON DELETE CASCADE,
      PRIMARY KEY (name, value, run_id)
    ) STRICT, WITHOUT ROWID`)

  yield* sql.unsafe(`CREATE INDEX charlotte_labels_run ON charlotte_labels (run_id)`)

  yield* sql.unsafe(`
    CREATE TRIGGER charlotte_runs_labels AFTER INSERT ON charlotte_runs WHEN NEW.labels <> '{}'
    BEGIN
      INSERT INTO charlotte_labels (name, value, run_id) SELECT key, value, NEW.id FROM json_each(NEW.labels);
    END`)
})
