/** The finished runs that pruning considers. */
const prunable = "ended_at IS NOT NULL AND pinned = 0 AND pruned = 0"

const isPrunable = (row: "OLD" | "NEW") => `(${row}.ended_at IS NOT NULL AND ${row}.pinned = 0 AND ${row}.pruned = 0)`

const counted = (row: "OLD" | "NEW") => `CASE WHEN ${isPrunable(row)} THEN 1 ELSE 0 END`

/**
 * Runs that are pinned, and runs that are being pruned: `pruned` hides a run at once, and its rows are deleted in slices
 * afterwards. The number of finished runs is maintained, so that a limit on them needs no count. New ids are above the id of the newest
 * run, even if that run was deleted.
 *
 * The count of a kind is a row that all transactions that end jobs change, at their commit, when they have all other locks: otherwise one
 * could hold the count and wait for the lock of admissions, and another the reverse.
 */
export const retention = [
  `CREATE TRIGGER charlotte_runs_prunable BEFORE UPDATE OF pruned ON charlotte_runs FOR EACH ROW
   WHEN (NEW.pruned < OLD.pruned OR (NEW.pruned > OLD.pruned AND NOT ${isPrunable("OLD")}))
   EXECUTE FUNCTION charlotte_refuse('charlotte: only a run that has ended and is not pinned is pruned, and for good')`,

  `CREATE UNIQUE INDEX charlotte_runs_idempotency_key ON charlotte_runs (kind, idempotency_key)
   WHERE idempotency_key IS NOT NULL AND pruned = 0`,
  `CREATE INDEX charlotte_runs_ended ON charlotte_runs (kind, status, ended_at, id) WHERE ${prunable}`,
  // At most one run retries another. Runs of a chain, which are pruned together, name its first.
  `CREATE UNIQUE INDEX charlotte_runs_retry_of ON charlotte_runs (retry_of) WHERE retry_of IS NOT NULL AND pruned = 0`,
  "CREATE INDEX charlotte_runs_chain ON charlotte_runs (chain) WHERE chain IS NOT NULL",
  "CREATE INDEX charlotte_runs_pruned ON charlotte_runs (kind, id) WHERE pruned = 1",

  "CREATE TABLE charlotte_finished (kind TEXT NOT NULL PRIMARY KEY, runs BIGINT NOT NULL CHECK (runs >= 0))",
  `CREATE FUNCTION charlotte_runs_finished() RETURNS trigger LANGUAGE plpgsql AS $$
   BEGIN
     INSERT INTO charlotte_finished VALUES (NEW.kind, 0) ON CONFLICT DO NOTHING;
     UPDATE charlotte_finished SET runs = runs + ${counted("NEW")} - ${counted("OLD")} WHERE kind = NEW.kind;
     RETURN NULL;
   END $$`,
  `CREATE CONSTRAINT TRIGGER charlotte_runs_finished AFTER UPDATE OF status, pinned, pruned ON charlotte_runs
   DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
   WHEN (${isPrunable("NEW")} <> ${isPrunable("OLD")}) EXECUTE FUNCTION charlotte_runs_finished()`,
  `CREATE FUNCTION charlotte_runs_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
   BEGIN
     INSERT INTO charlotte_finished AS f VALUES (NEW.kind, 1) ON CONFLICT (kind) DO UPDATE SET runs = f.runs + 1;
     RETURN NULL;
   END $$`,
  `CREATE CONSTRAINT TRIGGER charlotte_runs_inserted AFTER INSERT ON charlotte_runs
   DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
   WHEN (${isPrunable("NEW")}) EXECUTE FUNCTION charlotte_runs_inserted()`,
  `CREATE FUNCTION charlotte_runs_removed() RETURNS trigger LANGUAGE plpgsql AS $$
   BEGIN
     UPDATE charlotte_finished SET runs = runs - 1 WHERE kind = OLD.kind;
     RETURN NULL;
   END $$`,
  `CREATE CONSTRAINT TRIGGER charlotte_runs_removed AFTER DELETE ON charlotte_runs
   DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
   WHEN (${isPrunable("OLD")}) EXECUTE FUNCTION charlotte_runs_removed()`,

  `CREATE TABLE charlotte_latest (one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1), id TEXT COLLATE "C" NOT NULL)`,
  `CREATE FUNCTION charlotte_runs_latest() RETURNS trigger LANGUAGE plpgsql AS $$
   BEGIN
     IF NOT EXISTS (SELECT 1 FROM charlotte_runs WHERE id > OLD.id) THEN
       INSERT INTO charlotte_latest AS l VALUES (1, OLD.id)
       ON CONFLICT (one) DO UPDATE SET id = greatest(l.id, excluded.id);
     END IF;
     RETURN NULL;
   END $$`,
  `CREATE TRIGGER charlotte_runs_latest AFTER DELETE ON charlotte_runs FOR EACH ROW
   EXECUTE FUNCTION charlotte_runs_latest()`,

  // How often runs were hidden, for the caches of other processes.
  "CREATE TABLE charlotte_prunings (one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1), prunings BIGINT NOT NULL)",
  // The ids of removed runs, for a year. Nothing refers to their runs, which are gone.
  `CREATE TABLE charlotte_removed (id TEXT COLLATE "C" NOT NULL PRIMARY KEY, at BIGINT NOT NULL, removed_by TEXT)`,
  "CREATE INDEX charlotte_removed_at ON charlotte_removed (at)",

  `CREATE INDEX charlotte_runs_queued_until ON charlotte_runs (kind, due_at, id)
   WHERE status = 'pending' AND waits_for = 'time'`,
  `CREATE INDEX charlotte_runs_queued_behind ON charlotte_runs (kind, id) WHERE status = 'pending' AND waits_for = 'key'`
]
