import * as SqlClient from "@effect/sql/SqlClient"
import { Effect } from "effect"

/** The data of waiting runs: the number of pending runs, their signals, and the idempotency keys of requests. */
export const waiting = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  // The number of pending runs is maintained, so that a limit on them needs no count.
  yield* sql.unsafe(`
    CREATE TABLE charlotte_pending (kind TEXT NOT NULL PRIMARY KEY, runs INTEGER NOT NULL CHECK (runs >= 0))
    STRICT, WITHOUT ROWID`)
  yield* sql.unsafe(`
    INSERT INTO charlotte_pending SELECT kind, count(*) FROM charlotte_runs WHERE status = 'pending' GROUP BY kind`)
  yield* sql.unsafe(`
    CREATE TRIGGER charlotte_runs_queued AFTER INSERT ON charlotte_runs WHEN NEW.status = 'pending'
    BEGIN
      INSERT INTO charlotte_pending VALUES (NEW.kind, 1) ON CONFLICT DO UPDATE SET runs = runs + 1;
    END`)
  yield* sql.unsafe(`
    CREATE TRIGGER charlotte_runs_dequeued AFTER UPDATE OF status ON charlotte_runs
    WHEN OLD.status = 'pending' AND NEW.status <> 'pending'
    BEGIN
      UPDATE charlotte_pending SET runs = runs - 1 WHERE kind = OLD.kind;
    END`)
  yield* sql.unsafe(`
    CREATE TRIGGER charlotte_runs_deleted AFTER DELETE ON charlotte_runs WHEN OLD.status = 'pending'
    BEGIN
      UPDATE charlotte_pending SET runs = runs - 1 WHERE kind = OLD.kind;
    END`)

  // `seq` is the number of the signal's event; `attempt` was the current one when it came.
  yield* sql.unsafe(`
    CREATE TABLE charlotte_signals (
      job_id TEXT NOT NULL REFERENCES charlotte_runs (id) ON DELETE CASCADE,
      seq INTEGER NOT NULL,
      attempt INTEGER NOT NULL,
      name TEXT NOT NULL CHECK (name <> ''),
      payload TEXT CHECK (payload IS NULL OR json_valid(payload)),
      used INTEGER NOT NULL DEFAULT 0,
      PRIMARY KEY (job_id, seq)
    ) STRICT, WITHOUT ROWID`)
  yield* sql.unsafe(`CREATE INDEX charlotte_signals_name ON charlotte_signals (job_id, name, seq)`)
  yield* sql.unsafe(`CREATE INDEX charlotte_signals_attempt ON charlotte_signals (job_id, attempt)`)

  // Signals and stops that producers have recorded, in any process; the manager of the kind applies them.
  yield* sql.unsafe(`
    CREATE TABLE charlotte_requests (
      seq INTEGER PRIMARY KEY AUTOINCREMENT,
      kind TEXT NOT NULL,
      job_id TEXT NOT NULL REFERENCES charlotte_runs (id) ON DELETE CASCADE,
      type TEXT NOT NULL,
      name TEXT,
      payload TEXT CHECK (payload IS NULL OR json_valid(payload)),
      sender TEXT CHECK (sender IS NULL OR json_type(sender) = 'object'),
      grace INTEGER,
      at INTEGER NOT NULL
    ) STRICT`)
  yield* sql.unsafe("CREATE INDEX charlotte_requests_kind ON charlotte_requests (kind, seq)")
  yield* sql.unsafe("CREATE INDEX charlotte_requests_job ON charlotte_requests (job_id)")

  // The kinds of which no attempt begins.
  yield* sql.unsafe(`
    CREATE TABLE charlotte_pauses (kind TEXT NOT NULL PRIMARY KEY CHECK (kind <> ''), paused_at INTEGER NOT NULL, paused_by TEXT)
    STRICT, WITHOUT ROWID`)

  // The idempotency key of a pruned run is free.
  yield* sql.unsafe(`
    CREATE UNIQUE INDEX charlotte_runs_idempotency_key ON charlotte_runs (kind, idempotency_key)
    WHERE idempotency_key IS NOT NULL AND pruned = 0`)

  // Idempotency keys of requests that have attached to a job. The key of the start itself is in the row of the run.
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
