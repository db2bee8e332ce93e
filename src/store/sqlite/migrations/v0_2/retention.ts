import * as SqlClient from "@effect/sql/SqlClient"
import { Effect } from "effect"

/** The finished runs that pruning considers. */
const prunable = "ended_at IS NOT NULL AND pinned = 0 AND pruned = 0"

const isPrunable = (row: "OLD" | "NEW") => `(${row}.ended_at IS NOT NULL AND ${row}.pinned = 0 AND ${row}.pruned = 0)`

/**
 * Runs that are pinned, and runs that are being pruned: `pruned` hides a run at once, and its rows are deleted in slices
 * afterwards.
 */
export const retention = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  yield* sql.unsafe(`
    CREATE TRIGGER charlotte_runs_prunable BEFORE UPDATE OF pruned ON charlotte_runs
    WHEN NEW.pruned < OLD.pruned OR (NEW.pruned > OLD.pruned AND NOT ${isPrunable("OLD")})
    BEGIN
      SELECT RAISE(ABORT, 'charlotte: only a run that has ended and is not pinned is pruned, and for good');
    END`)

  yield* sql.unsafe(
    `CREATE INDEX charlotte_runs_ended ON charlotte_runs (kind, status, ended_at, id) WHERE ${prunable}`
  )
  // At most one run retries another. Runs of a chain, which are pruned together, name its first.
  yield* sql.unsafe(`
    CREATE UNIQUE INDEX charlotte_runs_retry_of ON charlotte_runs (retry_of) WHERE retry_of IS NOT NULL AND pruned = 0`)
  yield* sql.unsafe("CREATE INDEX charlotte_runs_chain ON charlotte_runs (chain) WHERE chain IS NOT NULL")
  // Without this index, the deletion of a run would read all attempts.
  yield* sql.unsafe("CREATE INDEX charlotte_attempts_job ON charlotte_attempts (job_id)")

  // The number of finished runs is maintained, so that a limit on them needs no count.
  yield* sql.unsafe(`
    CREATE TABLE charlotte_finished (kind TEXT NOT NULL PRIMARY KEY, runs INTEGER NOT NULL CHECK (runs >= 0))
    STRICT, WITHOUT ROWID`)
  yield* sql.unsafe(`
    INSERT INTO charlotte_finished SELECT kind, count(*) FROM charlotte_runs WHERE ${prunable} GROUP BY kind`)
  yield* sql.unsafe(`
    CREATE TRIGGER charlotte_runs_finished AFTER UPDATE OF status, pinned, pruned ON charlotte_runs
    WHEN ${isPrunable("NEW")} <> ${isPrunable("OLD")}
    BEGIN
      INSERT INTO charlotte_finished VALUES (NEW.kind, 0) ON CONFLICT DO NOTHING;
      UPDATE charlotte_finished SET runs = runs + ${isPrunable("NEW")} - ${isPrunable("OLD")} WHERE kind = NEW.kind;
    END`)
  yield* sql.unsafe(`
    CREATE TRIGGER charlotte_runs_inserted AFTER INSERT ON charlotte_runs WHEN ${isPrunable("NEW")}
    BEGIN
      INSERT INTO charlotte_finished VALUES (NEW.kind, 1) ON CONFLICT DO UPDATE SET runs = runs + 1;
    END`)
  yield* sql.unsafe(`
    CREATE TRIGGER charlotte_runs_removed AFTER DELETE ON charlotte_runs WHEN ${isPrunable("OLD")}
    BEGIN
      UPDATE charlotte_finished SET runs = runs - 1 WHERE kind = OLD.kind;
    END`)

  // New ids are above the id of the newest run, even if that run was deleted.
  yield* sql.unsafe(
    "CREATE TABLE charlotte_latest (one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1), id TEXT NOT NULL) STRICT"
  )
  yield* sql.unsafe(`
    CREATE TRIGGER charlotte_runs_latest AFTER DELETE ON charlotte_runs
    WHEN NOT EXISTS (SELECT 1 FROM charlotte_runs WHERE id > OLD.id)
    BEGIN
      INSERT INTO charlotte_latest VALUES (1, OLD.id) ON CONFLICT DO UPDATE SET id = max(id, excluded.id);
    END`)
})
