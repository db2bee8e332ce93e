import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import { Effect } from "effect"
import { count, report, worthMentioning } from "../../port/StartProgress.js"
import { schema } from "../schema.js"

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

const runAll = (statements: ReadonlyArray<string>): Effect.Effect<void, SqlError, SqlClient.SqlClient> =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    Effect.forEach(statements, (statement) => sql.unsafe(statement), { discard: true })
  )

/** The labels come first: the copy of the runs reads their index. */
const labels = runAll([
  `DROP TRIGGER charlotte_runs_labels`,
  `DROP TABLE charlotte_labels`,
  ...schema.filter((statement) => /^CREATE (TABLE|INDEX) charlotte_labels/.test(statement)),
  `INSERT INTO charlotte_labels (name, value, run_id, kind, status)
   SELECT l.key, l.value, r.id, r.kind, r.status FROM charlotte_runs r JOIN json_each(r.labels) l
   WHERE r.labels <> '{}' ORDER BY l.key, l.value, r.id`
])

/** The table, and the indexes of few runs, under another name: created after the copy, each index would read the whole table. */
const renamed = schema
  .filter((statement) => statement.includes(`"charlotte_runs"`))
  .map((statement) => statement.replace(`"charlotte_runs"`, "charlotte_runs_new"))

/**
 * The table of runs, with `parked` runs and what a run waits for. A CHECK cannot be altered, so the table is built again, while the
 * Migrator runs with foreign keys off.
 */
const runs = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  // The trigger reads `charlotte_runs`, which for a moment does not exist.
  yield* runAll([`DROP TRIGGER charlotte_events_terminal_status`, ...renamed])

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
  yield* runAll([
    `DROP TABLE charlotte_runs`,
    `ALTER TABLE charlotte_runs_new RENAME TO charlotte_runs`,
    // Version 0.1.0 named the job that another retries only in its configuration. If several retry one, the first counts.
    `UPDATE charlotte_runs SET retry_of = former.id
     FROM (SELECT min(id) AS retry, config ->> '$.retryOf' AS id FROM charlotte_runs
       WHERE kind = 'tasks' AND config LIKE '%"retryOf":%' AND config ->> '$.dryRun' IS NOT 1 GROUP BY 2) AS former
     WHERE charlotte_runs.id = former.retry AND former.id IS NOT NULL`
  ])
})

/** The columns and the trigger that tables of version 0.1.0 have in another form. */
const altered = runAll([
  ...["machine", "log", "tail"].map((column) => `ALTER TABLE charlotte_attempts ADD COLUMN ${column} TEXT`),
  `ALTER TABLE charlotte_owners ADD COLUMN machine TEXT`,
  `ALTER TABLE charlotte_units ADD COLUMN worktree TEXT`,
  `ALTER TABLE charlotte_tasks ADD COLUMN session TEXT CHECK (json_type(session) = 'object')`,
  `ALTER TABLE charlotte_tasks ADD COLUMN said TEXT`,
  `ALTER TABLE charlotte_tasks ADD COLUMN cost TEXT CHECK (json_type(cost) = 'object')`,
  `ALTER TABLE charlotte_tasks ADD COLUMN turn TEXT CHECK (json_type(turn) = 'object')`,
  `ALTER TABLE charlotte_tasks ADD COLUMN resolves TEXT CHECK (json_type(resolves) = 'array')`,
  `ALTER TABLE charlotte_tasks ADD COLUMN gate_failures TEXT CHECK (json_type(gate_failures) = 'array')`,
  `DROP TRIGGER charlotte_units_transition`
])

const nameIn = (statement: string): string | undefined =>
  /^CREATE (?:UNIQUE |VIRTUAL )?(?:TABLE|INDEX|TRIGGER) (?:IF NOT EXISTS )?"?(\w+)/.exec(statement)?.[1]

/** All other objects of the schema. */
const others = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql.unsafe<{ readonly name: string }>("SELECT name FROM sqlite_master")
  const existing = new Set(rows.map(({ name }) => name))
  yield* runAll(
    schema.filter((statement) => {
      const name = nameIn(statement)
      return name !== undefined && !existing.has(name)
    })
  )
})

/** What version 0.2.0 keeps about runs beside them; at first no run is in the search index. */
const kept = runAll([
  `INSERT INTO charlotte_pending SELECT kind, count(*) FROM charlotte_runs WHERE status = 'pending' GROUP BY kind`,
  `INSERT INTO charlotte_finished SELECT kind, count(*) FROM charlotte_runs WHERE ended_at IS NOT NULL GROUP BY kind`,
  `INSERT INTO charlotte_unindexed SELECT id FROM charlotte_runs`,
  ...schema.filter((statement) => statement.startsWith("INSERT INTO charlotte_generation"))
])

/** From the schema of version 0.1.0 to that of 0.2.0. */
export default Effect.all([labels, runs, altered, others, kept], { discard: true })
