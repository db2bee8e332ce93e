/**
 * Waiting runs: `pending` behind a permit, a time or a key, and `parked`. The number of pending runs is maintained, so that a limit on
 * them needs no count; a run that a transaction of the application inserts is counted once it leaves the outbox: until its commit, all
 * other transactions would wait for the row of the count.
 */
export const waiting = [
  ...["key", "start_key"].flatMap((key) => [
    `CREATE UNIQUE INDEX charlotte_runs_held_${key} ON charlotte_runs (kind, ${key})
     WHERE ${key} IS NOT NULL AND ended_at IS NULL AND waits_for IS DISTINCT FROM 'key'`,
    `CREATE INDEX charlotte_runs_awaited_${key} ON charlotte_runs (kind, ${key}, id) WHERE waits_for = 'key'`
  ]),
  "CREATE INDEX charlotte_runs_due ON charlotte_runs (kind, status, priority DESC, id) WHERE waits_for = 'permit'",
  // A retry begins in the order of pending runs, after all other parked ones.
  `CREATE INDEX charlotte_runs_due_parked ON charlotte_runs (kind, priority DESC, (coalesce(woken_by, '') = 'retry'), id)
   WHERE waits_for = 'permit' AND status = 'parked'`,
  "CREATE INDEX charlotte_runs_due_for_stop ON charlotte_runs (kind, id) WHERE woken_by = 'stop'",
  "CREATE INDEX charlotte_runs_due_at ON charlotte_runs (kind, due_at, id) WHERE waits_for = 'time'",

  "CREATE INDEX charlotte_runs_refused ON charlotte_runs (kind, refused_at) WHERE refused_at IS NOT NULL",

  "CREATE TABLE charlotte_pending (kind TEXT NOT NULL PRIMARY KEY, runs BIGINT NOT NULL CHECK (runs >= 0))",

  `CREATE FUNCTION charlotte_runs_queued() RETURNS trigger LANGUAGE plpgsql AS $$
   BEGIN
     INSERT INTO charlotte_pending AS p VALUES (NEW.kind, 1) ON CONFLICT (kind) DO UPDATE SET runs = p.runs + 1;
     RETURN NULL;
   END $$`,
  `CREATE TRIGGER charlotte_runs_queued AFTER INSERT ON charlotte_runs FOR EACH ROW
   WHEN (NEW.status = 'pending' AND NEW.outbox = 0) EXECUTE FUNCTION charlotte_runs_queued()`,
  `CREATE TRIGGER charlotte_runs_left_outbox AFTER UPDATE OF outbox ON charlotte_runs FOR EACH ROW
   WHEN (NEW.outbox < OLD.outbox) EXECUTE FUNCTION charlotte_runs_queued()`,
  `CREATE FUNCTION charlotte_runs_dequeued() RETURNS trigger LANGUAGE plpgsql AS $$
   BEGIN
     UPDATE charlotte_pending SET runs = runs - 1 WHERE kind = OLD.kind;
     RETURN NULL;
   END $$`,
  `CREATE TRIGGER charlotte_runs_dequeued AFTER UPDATE OF status ON charlotte_runs FOR EACH ROW
   WHEN (OLD.status = 'pending' AND NEW.status <> 'pending') EXECUTE FUNCTION charlotte_runs_dequeued()`,
  `CREATE TRIGGER charlotte_runs_deleted AFTER DELETE ON charlotte_runs FOR EACH ROW
   WHEN (OLD.status = 'pending' AND OLD.outbox = 0) EXECUTE FUNCTION charlotte_runs_dequeued()`,

  // The kinds of which no attempt begins.
  "CREATE TABLE charlotte_pauses (kind TEXT NOT NULL PRIMARY KEY CHECK (kind <> ''), paused_at BIGINT NOT NULL, paused_by TEXT)",

  `CREATE TABLE charlotte_signals (
    job_id TEXT COLLATE "C" NOT NULL REFERENCES charlotte_runs (id) ON DELETE CASCADE,
    seq BIGINT NOT NULL,
    attempt INTEGER NOT NULL,
    name TEXT NOT NULL CHECK (name <> ''),
    payload TEXT CHECK (payload IS NULL OR CAST(payload AS json) IS NOT NULL),
    used INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (job_id, seq)
  )`,
  "CREATE INDEX charlotte_signals_name ON charlotte_signals (job_id, name, seq)",
  "CREATE INDEX charlotte_signals_attempt ON charlotte_signals (job_id, attempt)"
]
