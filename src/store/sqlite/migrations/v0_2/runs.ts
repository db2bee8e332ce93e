import * as SqlClient from "@effect/sql/SqlClient"
import { Effect } from "effect"
import { dueRank } from "../../../sql/runRow.js"
import { terminal, waitingForNothing } from "../../../sql/stateMachine.js"
import { count, report, worthMentioning } from "../../../port/StartProgress.js"

/**
 * Interrupted runs whose key another job holds: a pending or running job, or one that was interrupted before. Evaluated once
 * per statement, over the runs that have not ended; a subquery for each run would read all runs of its kind.
 */
const waiters = `
  SELECT id FROM (
    SELECT id, row_number() OVER (PARTITION BY kind, key ORDER BY status = 'interrupted', id) AS place
    FROM charlotte_runs WHERE status IN ('pending', 'running', 'interrupted') AND key IS NOT NULL
  ) WHERE place > 1`

/**
 * The idempotency key, which version 0.1.0 kept as a label. If several runs of a kind had the same, it returned the newest,
 * and that run keeps the key.
 */
const idempotencyKey = `
  CASE WHEN labels ->> '$."charlotte.idempotency-key"' IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM charlotte_labels l JOIN charlotte_labels o USING (name, value, kind)
    WHERE l.run_id = r.id AND l.name = 'charlotte.idempotency-key' AND o.run_id > r.id
  ) THEN labels ->> '$."charlotte.idempotency-key"' END`

/** Rows per statement of the copy; each statement reports its progress. */
const slice = 100_000

/**
 * The table of runs, with `parked` runs and what a run waits for. A CHECK cannot be altered, so the table is built again, while the
 * Migrator runs with foreign keys off; from here on the statuses are listed in triggers, so that the next one needs no new table.
 */
export const runs = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  // The trigger reads `charlotte_runs`, which for a moment does not exist.
  yield* sql.unsafe(`DROP TRIGGER charlotte_events_terminal_status`)

  // `sender` has asked for what a run waits to do, its retry or its next attempt, and is JSON as `Sender` in the domain;
  // `searched` is searched in place of labels and config if part of them is secret; `trace` is NULL if nothing traced the start;
  // `parent` is the run that has asked for this one last, and `child_ends` counts the ends of its own children, if it has any;
  // `node` is the address on which a run was placed last, and `runner` the node that has taken its attempt; `refused_by` is why
  // versions of the kind cannot decode a waiting run, since `refused_at`: all of these in a cluster only.
  yield* sql.unsafe(`
    CREATE TABLE charlotte_runs_new (
      id TEXT NOT NULL PRIMARY KEY CHECK (length(id) = 26),
      kind TEXT NOT NULL CHECK (kind <> ''),
      status TEXT NOT NULL,
      attempt INTEGER NOT NULL CHECK (attempt >= 1),
      key TEXT,
      start_key TEXT,
      config TEXT NOT NULL CHECK (json_valid(config)),
      labels TEXT NOT NULL CHECK (json_type(labels) = 'object'),
      submission TEXT CHECK (submission IS NULL OR json_valid(submission)),
      idempotency_key TEXT,
      request TEXT,
      priority INTEGER NOT NULL DEFAULT 0,
      created_at INTEGER NOT NULL,
      start_at INTEGER,
      started_at INTEGER,
      stopping_at INTEGER,
      ended_at INTEGER,
      waits_for TEXT,
      due_at INTEGER,
      parked TEXT CHECK (parked IS NULL OR json_type(parked) = 'object'),
      woken_by TEXT,
      sender TEXT CHECK (sender IS NULL OR json_type(sender) = 'object'),
      replaces INTEGER NOT NULL DEFAULT 0,
      crashes INTEGER NOT NULL DEFAULT 0 CHECK (crashes >= 0),
      tries INTEGER NOT NULL DEFAULT 0 CHECK (tries >= 0),
      result TEXT CHECK (result IS NULL OR json_valid(result)),
      error TEXT CHECK (error IS NULL OR json_valid(error)),
      outbox INTEGER NOT NULL DEFAULT 0 CHECK (outbox = 0 OR status = 'pending'),
      searched TEXT CHECK (searched IS NULL OR json_type(searched) = 'object'),
      progress TEXT CHECK (progress IS NULL OR json_type(progress) = 'object'),
      pinned INTEGER NOT NULL DEFAULT 0,
      pruned INTEGER NOT NULL DEFAULT 0,
      retry_of TEXT,
      chain TEXT,
      grp TEXT CHECK (grp <> ''),
      parent TEXT,
      child_ends INTEGER,
      trace TEXT,
      node TEXT,
      runner TEXT,
      refused_by TEXT CHECK (refused_by IS NULL OR json_type(refused_by) = 'object'),
      refused_at INTEGER CHECK ((refused_by IS NULL) = (refused_at IS NULL)),
      CHECK ((status IN ${terminal}) = (ended_at IS NOT NULL)),
      CHECK ((status = 'pending') = (started_at IS NULL) OR status IN ('failed', 'cancelled')),
      CHECK (stopping_at IS NULL OR status NOT IN ('pending', 'interrupted', 'parked')),
      CHECK ((status = 'completed') = (result IS NOT NULL)),
      CHECK (CASE status WHEN 'failed' THEN error IS NOT NULL WHEN 'cancelled' THEN TRUE ELSE error IS NULL END),
      CHECK ((waits_for IS NULL) = (status IN ${waitingForNothing})),
      CHECK ((status = 'parked') = (parked IS NOT NULL)),
      CHECK (waits_for IS NOT 'time' OR due_at IS NOT NULL),
      CHECK (waits_for IS NOT (CASE WHEN grp IS NULL THEN 'group' ELSE 'permit' END)),
      CHECK ((idempotency_key IS NULL) = (request IS NULL))
    ) STRICT`)

  // The indexes of few runs are created before the copy: created after it, each of them would read the whole table.
  // Two jobs cannot hold one key; the others wait behind it in the order of their ids.
  for (const key of ["key", "start_key"]) {
    yield* sql.unsafe(`
      CREATE UNIQUE INDEX charlotte_runs_held_${key} ON charlotte_runs_new (kind, ${key})
      WHERE ${key} IS NOT NULL AND ended_at IS NULL AND waits_for IS NOT 'key'`)
    yield* sql.unsafe(`
      CREATE INDEX charlotte_runs_awaited_${key} ON charlotte_runs_new (kind, ${key}, id) WHERE waits_for = 'key'`)
  }

  // For each status, the order in which runs that wait for a permit begin, and the order of due times.
  yield* sql.unsafe(`
    CREATE INDEX charlotte_runs_due ON charlotte_runs_new (kind, status, priority DESC, id) WHERE waits_for = 'permit'`)
  // A retry begins in the order of pending runs, after all other parked ones.
  yield* sql.unsafe(`
    CREATE INDEX charlotte_runs_due_parked ON charlotte_runs_new (kind, priority DESC, (coalesce(woken_by, '') = 'retry'), id)
    WHERE waits_for = 'permit' AND status = 'parked'`)
  yield* sql.unsafe(`CREATE INDEX charlotte_runs_due_for_stop ON charlotte_runs_new (kind, id) WHERE woken_by = 'stop'`)
  yield* sql.unsafe(
    `CREATE INDEX charlotte_runs_due_at ON charlotte_runs_new (kind, due_at, id) WHERE waits_for = 'time'`
  )
  yield* sql.unsafe(
    `CREATE INDEX charlotte_runs_refused ON charlotte_runs_new (kind, refused_at) WHERE refused_at IS NOT NULL`
  )
  // The order of the runs that wait for their group, in it and among all of the kind, and the running jobs of a group.
  yield* sql.unsafe(`
    CREATE INDEX charlotte_runs_grouped ON charlotte_runs_new (kind, grp, priority DESC, (${dueRank()}), id)
    WHERE waits_for = 'group'`)
  yield* sql.unsafe(`
    CREATE INDEX charlotte_runs_queued_grouped ON charlotte_runs_new (kind, priority DESC, id)
    WHERE status = 'pending' AND waits_for = 'group'`)
  yield* sql.unsafe(`
    CREATE INDEX charlotte_runs_active_group ON charlotte_runs_new (kind, grp) WHERE status = 'running' AND grp IS NOT NULL`)
  yield* sql.unsafe(`CREATE INDEX charlotte_runs_outbox ON charlotte_runs_new (kind, id) WHERE outbox = 1`)
  yield* sql.unsafe(`CREATE INDEX charlotte_runs_pruned ON charlotte_runs_new (kind, id) WHERE pruned = 1`)
  yield* sql.unsafe(`
    CREATE INDEX charlotte_runs_queued_until ON charlotte_runs_new (kind, due_at, id)
    WHERE status = 'pending' AND waits_for = 'time'`)
  yield* sql.unsafe(`
    CREATE INDEX charlotte_runs_queued_behind ON charlotte_runs_new (kind, id)
    WHERE status = 'pending' AND waits_for = 'key'`)

  const [{ last } = { last: 0 }] = yield* sql.unsafe<{ readonly last: number }>(
    `SELECT coalesce(max(rowid), 0) AS last FROM charlotte_runs`
  )

  // An interrupted run holds its key from now on; if another job holds it, too, the interrupted run waits behind it.
  for (let after = 0; after < last; after += slice) {
    yield* sql.unsafe(
      `INSERT INTO charlotte_runs_new (id, kind, status, attempt, key, config, labels, submission,
         idempotency_key, request, created_at, started_at, stopping_at, ended_at, waits_for, crashes, result, error)
       SELECT id, kind, status, attempt, key, config, labels, submission,
         idempotency_key, iif(idempotency_key IS NULL, NULL, ''),
         created_at, started_at, stopping_at, ended_at,
         CASE WHEN status = 'pending' THEN 'permit' WHEN status <> 'interrupted' THEN NULL
           WHEN id IN (${waiters}) THEN 'key'
           ELSE 'permit' END,
         crashes, result, error
       FROM (SELECT rowid AS place, *, ${idempotencyKey} AS idempotency_key FROM charlotte_runs r)
       WHERE place > ? AND place <= ? ORDER BY place`,
      [after, after + slice]
    )
    if (last >= worthMentioning) yield* report(`copied ${count(Math.min(after + slice, last))} of ${count(last)} runs`)
  }

  if (last >= worthMentioning) yield* report("building indexes, and writing the changes to disk")
  yield* sql.unsafe(`DROP TABLE charlotte_runs`)
  yield* sql.unsafe(`ALTER TABLE charlotte_runs_new RENAME TO charlotte_runs`)

  // Version 0.1.0 named the job that another retries only in its configuration. If several retry one, the first counts.
  yield* sql.unsafe(`
    UPDATE charlotte_runs SET retry_of = former.id
    FROM (SELECT min(id) AS retry, config ->> '$.retryOf' AS id FROM charlotte_runs
      WHERE kind = 'tasks' AND config LIKE '%"retryOf":%' AND config ->> '$.dryRun' IS NOT 1 GROUP BY 2) AS former
    WHERE charlotte_runs.id = former.retry AND former.id IS NOT NULL`)

  yield* sql.unsafe(`CREATE INDEX charlotte_runs_kind ON charlotte_runs (kind, id)`)
  yield* sql.unsafe(`CREATE INDEX charlotte_runs_status ON charlotte_runs (status, id)`)
  yield* sql.unsafe(`CREATE INDEX charlotte_runs_kind_status ON charlotte_runs (kind, status, id)`)
})
