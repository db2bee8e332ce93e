/**
 * The rules of the audit: each is a query that returns the `found` records that violate an invariant. `jobRules` run on a
 * slice of jobs, the range of ids in `slice`, so that each query is bounded.
 */
import { lifecycle } from "../../domain/JobEvent.js"
import { transitions, type RunStatus } from "../../domain/RunStatus.js"
import type { Dialect } from "./Dialect.js"
import { terminal, terminalEvents } from "./stateMachine.js"
import * as tables from "./tables.js"

export interface Rule {
  /** The violated invariant, as a clause about `found`. */
  readonly wrong: string
  readonly remedy: Remedy
  readonly sql: string
}

/** The remedy: nothing (`record`), kill a process, reduce the running jobs, or replace the file. */
export type Remedy = "record" | "process" | "capacity" | "file"

/** Leaves out runs that are being pruned, since some of their events may be deleted. */
const inSlice = (column: string) =>
  `${column} > (SELECT low FROM slice) AND ${column} <= (SELECT high FROM slice)
     AND ${column} NOT IN (SELECT id FROM charlotte_runs WHERE pruned = 1)`

/** Events with their attempt number. A step counts as an event of the orchestrator. */
const numbered = `
  numbered AS (
    SELECT job_id, seq, type, payload, CASE WHEN type LIKE 'job.%' AND type <> 'job.step' THEN 1 ELSE 0 END AS lifecycle,
      1 + sum(CASE WHEN type = 'job.resumed' THEN 1 ELSE 0 END) OVER (PARTITION BY job_id ORDER BY seq) AS attempt
    FROM charlotte_events WHERE ${inSlice("job_id")}
  )`

/** Whether an attempt was the third consecutive crash without an emitted event in between. */
const streaks = ({ member }: Dialect) => `
  attempts AS (
    SELECT job_id, attempt, sum(1 - lifecycle) AS emitted,
      max(CASE WHEN type = 'job.interrupted' THEN CASE WHEN ${member("payload", "reason")} = 'crash' THEN 1 ELSE 0 END
        ELSE 0 END) AS crashed
    FROM numbered GROUP BY job_id, attempt
  ), streaks AS (
    SELECT job_id, attempt, lead(attempt) OVER (PARTITION BY job_id ORDER BY attempt) AS later,
      sum(crashed) OVER (PARTITION BY job_id ORDER BY attempt ROWS 2 PRECEDING) = 3
        AND sum(emitted) OVER (PARTITION BY job_id ORDER BY attempt ROWS 1 PRECEDING) = 0 AS is_third
    FROM attempts
  )`

/** Events of the manager after which a run has a known status; a later version may have recorded others. */
const changes = `type IN (${Object.keys(lifecycle)
  .map((type) => `'${type}'`)
  .join(", ")})`

/** The status of a run after an event of the manager. */
const statusAfter = {
  "job.queued": "pending",
  "job.started": "running",
  "job.resumed": "running",
  "job.timeout": "running",
  "job.interrupted": "interrupted",
  "job.parked": "parked"
} as const

const eventOf = (from: RunStatus, to: RunStatus): string =>
  to === "running" ? (from === "pending" ? "job.started" : "job.resumed") : `job.${to}`

/**
 * The events of the manager that may follow another one, ignoring emitted events. A job that is stopped while the store fails has no
 * `job.stopping` before its recorded end.
 */
const successors: ReadonlyArray<readonly [before: string, after: string]> = [
  ...Object.entries(statusAfter).flatMap(([before, status]) => [
    ...transitions[status].map((to) => [before, eventOf(status, to)] as const),
    ...(status === "running" ? [[before, "job.stopping"] as const] : [])
  ]),
  ["job.started", "job.timeout"],
  ["job.resumed", "job.timeout"],
  // A run that is being stopped may be interrupted, and then continues with its stop.
  ...transitions.running.filter((to) => to !== "parked").map((to) => ["job.stopping", eventOf("running", to)] as const)
]

const steps = successors.map(([before, type]) => `('${before}', '${type}')`)

const record = (wrong: string, sql: string): Rule => ({ wrong, remedy: "record", sql })

const eventRules = (dialect: Dialect): ReadonlyArray<Rule> => [
  record(
    "its events are not numbered 1, 2, 3 …",
    `SELECT job_id AS found FROM charlotte_events WHERE ${inSlice("job_id")} GROUP BY job_id
     HAVING min(seq) <> 1 OR max(seq) <> count(*)`
  ),
  record(
    "its cursors do not increase with its sequence numbers",
    `SELECT DISTINCT job_id AS found FROM
       (SELECT job_id, cursor, lag(cursor) OVER (PARTITION BY job_id ORDER BY seq) AS before
        FROM charlotte_events WHERE ${inSlice("job_id")}) AS ordered
     WHERE cursor <= before`
  ),
  record(
    "its first event is neither job.queued nor job.started",
    `SELECT id AS found FROM charlotte_runs WHERE ${inSlice("id")} AND outbox = 0 AND NOT EXISTS
       (SELECT 1 FROM charlotte_events WHERE job_id = id AND seq = 1 AND type IN ('job.queued', 'job.started'))`
  ),
  record(
    "it is in the outbox, but has an event",
    `SELECT id AS found FROM charlotte_runs WHERE ${inSlice("id")} AND outbox = 1
       AND EXISTS (SELECT 1 FROM charlotte_events WHERE job_id = id)`
  ),
  record(
    "its status and its events disagree on whether it has ended",
    `SELECT id AS found FROM charlotte_runs WHERE ${inSlice("id")}
       AND (SELECT count(*) FROM charlotte_events WHERE job_id = id AND type IN ${terminalEvents})
         <> CASE WHEN status IN ${terminal} THEN 1 ELSE 0 END`
  ),
  record(
    "an event follows its terminal event",
    `SELECT e.job_id AS found FROM charlotte_events e WHERE ${inSlice("e.job_id")} AND e.type IN ${terminalEvents}
       AND EXISTS (SELECT 1 FROM charlotte_events l WHERE l.job_id = e.job_id AND l.seq > e.seq)`
  ),
  record(
    "its events contain a forbidden transition",
    `SELECT job_id || ': ' || before || ', ' || type AS found FROM
       (SELECT job_id, type, lag(type) OVER (PARTITION BY job_id ORDER BY seq) AS before
        FROM charlotte_events WHERE ${inSlice("job_id")} AND ${changes}) AS steps
     WHERE before IS NOT NULL AND (before, type) NOT IN (VALUES ${steps.join(", ")})`
  ),
  record(
    "its status does not match its last event",
    `SELECT id || ': ' || status || ', ' || type AS found FROM charlotte_runs JOIN
       (SELECT job_id, type, row_number() OVER (PARTITION BY job_id ORDER BY seq DESC) AS place
        FROM charlotte_events WHERE ${inSlice("job_id")} AND ${changes}) AS placed ON job_id = id
     WHERE place = 1 AND status <> CASE WHEN type IN ('job.started', 'job.resumed', 'job.stopping', 'job.timeout') THEN 'running'
       WHEN type = 'job.queued' THEN 'pending' ELSE substr(type, 5) END`
  ),
  record(
    "its attempt number does not match its job.resumed events",
    `SELECT id AS found FROM charlotte_runs WHERE ${inSlice("id")}
       AND attempt <> 1 + (SELECT count(*) FROM charlotte_events WHERE job_id = id AND type = 'job.resumed')`
  ),
  record(
    "an event carries a wrong attempt number",
    `WITH ${numbered}
     SELECT job_id AS found FROM numbered 
     WHERE CASE WHEN type IN ('job.started', 'job.resumed')
       THEN CAST(${dialect.member("payload", "attempt")} AS INTEGER) <> attempt ELSE FALSE END`
  ),
  record(
    "it was resumed after three consecutive crashes without an event",
    `WITH ${numbered}, ${streaks(dialect)} SELECT job_id AS found FROM streaks WHERE is_third AND later IS NOT NULL`
  ),
  record(
    "it failed for crashing three times, but crashed less often",
    `WITH ${numbered}, ${streaks(dialect)}
     SELECT id AS found FROM charlotte_runs JOIN streaks ON job_id = id AND streaks.attempt = charlotte_runs.attempt
     WHERE ${dialect.member("error", "error")} LIKE 'it crashed%' AND NOT is_third`
  )
]

/** A unit that continues after a rejection of the result has the time at which it ended before. */
const workRules = ({ elementsOf }: Dialect): ReadonlyArray<Rule> => [
  record(
    "a unit was merged before one of its dependencies",
    `SELECT u.job_id || ': ' || u.unit || ' before ' || n.value AS found
     FROM charlotte_units u CROSS JOIN ${elementsOf("u.depends_on")} n
       LEFT JOIN charlotte_units d ON d.job_id = u.job_id AND d.unit = n.value
     WHERE ${inSlice("u.job_id")} AND u.state = 'merged'
       AND (d.state IS NULL OR d.state NOT IN ('merged', 'skipped') AND d.ended_at IS NULL)`
  ),
  record(
    "a unit is blocked without a failed dependency",
    `SELECT u.job_id || ': ' || u.unit AS found FROM charlotte_units u
     WHERE ${inSlice("u.job_id")} AND u.state = 'blocked' AND NOT EXISTS
       (SELECT 1 FROM ${elementsOf("u.depends_on")} n JOIN charlotte_units d ON d.job_id = u.job_id AND d.unit = n.value
        WHERE d.state IN ('failed', 'blocked'))`
  ),
  record(
    "a unit was merged before an earlier unit had ended",
    `SELECT u.job_id || ': ' || u.unit || ' before ' || e.unit AS found
     FROM charlotte_units u JOIN charlotte_units e ON e.job_id = u.job_id AND e.position < u.position
     WHERE ${inSlice("u.job_id")} AND u.state = 'merged' AND e.state IN ('pending', 'running') AND e.ended_at IS NULL`
  ),
  record(
    "a unit was merged before its tasks were completed",
    `SELECT u.job_id || ': ' || u.unit || ' ' || t.task AS found
     FROM charlotte_units u JOIN charlotte_tasks t ON t.job_id = u.job_id AND t.unit = u.unit
     WHERE ${inSlice("u.job_id")} AND u.state = 'merged' AND t.state NOT IN ('completed', 'skipped')`
  ),
  record(
    "a task started before the previous one was completed",
    `SELECT found FROM
       (SELECT job_id || ': ' || unit || ' ' || task AS found, state,
          lag(state) OVER (PARTITION BY job_id, unit ORDER BY position) AS before
        FROM charlotte_tasks WHERE ${inSlice("job_id")} AND state <> 'skipped') AS ordered
     WHERE state <> 'pending' AND before <> 'completed'`
  ),
  record(
    "it is completed, but not all of its units are",
    `SELECT id || ': ' || unit AS found FROM charlotte_runs JOIN charlotte_units ON job_id = id
     WHERE ${inSlice("id")} AND status = 'completed' AND state NOT IN ('merged', 'skipped')`
  )
]

const runLabels = ({ membersOf }: Dialect) => `SELECT r.id AS found, l.key, l.value, r.kind, r.status
   FROM charlotte_runs r CROSS JOIN ${membersOf("r.labels")} l WHERE ${inSlice("r.id")}`

const indexedLabels = `SELECT run_id AS found, name, value, kind, status
   FROM charlotte_labels WHERE ${inSlice("run_id")}`

const labelRules = (dialect: Dialect): ReadonlyArray<Rule> => [
  record(
    "its label index is out of date",
    `SELECT found FROM (${runLabels(dialect)} EXCEPT ${indexedLabels}) AS missing
     UNION SELECT found FROM (${indexedLabels} EXCEPT ${runLabels(dialect)}) AS stale`
  )
]

const waitingRules = ({ member }: Dialect): ReadonlyArray<Rule> => [
  record(
    "a signal is not in its events",
    `SELECT s.job_id || ': ' || s.name AS found FROM charlotte_signals s WHERE ${inSlice("s.job_id")} AND NOT EXISTS
       (SELECT 1 FROM charlotte_events e WHERE e.job_id = s.job_id AND e.seq = s.seq AND e.type = 'job.signalled'
         AND substr(e.payload, 1, length(s.name) + 10) = '{"name":"' || s.name || '"')`
  ),
  record(
    "a step is not in its events",
    `SELECT run_id AS found FROM charlotte_steps s WHERE ${inSlice("run_id")} GROUP BY run_id
     HAVING count(*) > (SELECT count(*) FROM charlotte_events WHERE job_id = s.run_id AND type = 'job.step')`
  ),
  record(
    "it waits for a signal that has come",
    `SELECT id AS found FROM charlotte_runs WHERE ${inSlice("id")} AND status = 'parked' AND waits_for NOT IN ('permit', 'group')
       AND EXISTS (SELECT 1 FROM charlotte_signals WHERE job_id = id AND name = ${member("parked", "signal")} AND used = 0)`
  ),
  record(
    "it waits for a child, and none of its children is left",
    `SELECT id AS found FROM charlotte_runs r WHERE ${inSlice("id")} AND waits_for = 'child' AND NOT EXISTS
       (SELECT 1 FROM charlotte_children c JOIN charlotte_runs k ON k.id = c.child_id
        WHERE c.job_id = coalesce(r.chain, r.id) AND k.ended_at IS NULL)`
  )
]

const leftOpen = (wrong: string, where: string): Rule => ({
  wrong,
  remedy: "process",
  sql: `SELECT a.job_id || ': ' || a.purpose || ' (RUN_BY_CHARLOTTE=' || a.cookie || coalesce(' on ' || a.machine, '') || ')' AS found
    FROM charlotte_runs r JOIN charlotte_attempts a ON a.job_id = r.id AND a.closed_at IS NULL
      LEFT JOIN charlotte_owners o ON o.kind = r.kind
    WHERE ${inSlice("r.id")} AND ${where}`
})

const keyRules: ReadonlyArray<Rule> = [
  record(
    "its idempotency key is that of another job, too",
    `SELECT a.job_id || ': ' || r.id AS found FROM charlotte_attached_keys a
       JOIN charlotte_runs r ON r.kind = a.kind AND r.idempotency_key = a.idempotency_key AND r.pruned = 0
     WHERE ${inSlice("a.job_id")}`
  )
]

const processRules: ReadonlyArray<Rule> = [
  leftOpen("it has ended, but a process of it may be left", `r.ended_at IS NOT NULL`),
  leftOpen("a process of an earlier attempt may be left", `r.ended_at IS NULL AND a.attempt <> r.attempt`),
  // The owner does not record its machine, and boots of different machines cannot be compared.
  leftOpen("a process record of an earlier boot was never closed", `a.machine IS NULL AND a.boot_id <> o.boot_id`)
]

/** Rules about jobs, checked in slices. */
export const jobRules = (dialect: Dialect): ReadonlyArray<Rule> => [
  ...eventRules(dialect),
  ...labelRules(dialect),
  ...workRules(dialect),
  ...waitingRules(dialect),
  ...keyRules,
  ...processRules
]

/** Rules about the whole database. */
export const databaseRules = ({ isConcurrent, name }: Dialect): ReadonlyArray<Rule> => [
  ...countRules(isConcurrent),
  ...(name === "sqlite" ? fileRules : serverRules)
]

/** Rules about counts. If transactions run side by side, a run is counted once it has left the outbox. */
const countRules = (isConcurrent: boolean): ReadonlyArray<Rule> => [
  ...["key", "start_key"].map((key) =>
    record(
      "two jobs hold a key",
      `SELECT kind || ', ' || ${key} AS found FROM charlotte_runs WHERE ${key} IS NOT NULL AND ended_at IS NULL
         AND waits_for IS DISTINCT FROM 'key' GROUP BY kind, ${key} HAVING count(*) > 1`
    )
  ),
  record(
    "it waits for a key that is free",
    `SELECT id AS found FROM charlotte_runs w WHERE waits_for = 'key' AND NOT EXISTS
       (SELECT 1 FROM charlotte_runs o WHERE o.kind = w.kind AND o.id <> w.id AND o.ended_at IS NULL
         AND (o.key = w.key OR o.start_key = w.start_key) AND (o.waits_for IS DISTINCT FROM 'key' OR o.id < w.id))`
  ),
  record(
    "the number of pending runs is wrong",
    `SELECT kind AS found FROM charlotte_pending p
     WHERE runs <> (SELECT count(*) FROM charlotte_runs r WHERE r.kind = p.kind AND status = 'pending'
       ${isConcurrent ? "AND outbox = 0" : ""})`
  ),
  record(
    "the row of its group is wrong",
    `SELECT kind || ' ' || grp AS found FROM charlotte_groups g
     WHERE ${isConcurrent ? "NOT EXISTS (SELECT 1 FROM charlotte_changed_groups c WHERE c.kind = g.kind AND c.grp = g.grp) AND" : ""}
       (active <> (SELECT count(*) FROM charlotte_runs r WHERE r.kind = g.kind AND r.grp = g.grp AND r.status = 'running')
        OR head IS NOT NULL AND NOT EXISTS (SELECT 1 FROM charlotte_runs r
          WHERE r.id = g.head AND r.kind = g.kind AND r.grp = g.grp AND r.waits_for = 'group'))`
  ),
  record(
    "it waits for its group, which has no first run",
    `SELECT r.id AS found FROM charlotte_runs r LEFT JOIN charlotte_limits l ON l.kind = r.kind
     WHERE r.waits_for = 'group' AND r.outbox = 0 AND (r.status <> 'interrupted' OR coalesce(l.manual, 0) = 0)
       ${isConcurrent ? "AND NOT EXISTS (SELECT 1 FROM charlotte_changed_groups c WHERE c.kind = r.kind AND c.grp = r.grp)" : ""}
       AND NOT EXISTS (SELECT 1 FROM charlotte_groups g WHERE g.kind = r.kind AND g.grp = r.grp AND g.head IS NOT NULL)`
  ),
  record(
    "the number of finished runs is wrong",
    `SELECT kind AS found FROM charlotte_finished f
     WHERE runs <> (SELECT count(*) FROM charlotte_runs r WHERE r.kind = f.kind AND ended_at IS NOT NULL
       AND pinned = 0 AND pruned = 0)`
  )
]

/** Finds rows of a table that refer to a missing row, which a restore without constraints may leave. */
const dangling = ([name, { parent }]: (typeof tables.all)[number]): ReadonlyArray<string> => {
  if (parent === undefined) return []
  const [referred, ...columns] = parent
  const matches = tables.keyOf(referred).map((key, i) => `o.${key} = r.${columns[i]}`)
  return [
    `SELECT '${name} ' || r.${columns[0]} || ', ${referred}' AS found FROM ${name} r
     WHERE NOT EXISTS (SELECT 1 FROM ${referred} o WHERE ${matches.join(" AND ")})`
  ]
}

/** Rules for PostgreSQL, which checks its files itself, but not whether a backup was restored without constraints, or only in part. */
const serverRules: ReadonlyArray<Rule> = [
  {
    wrong: "a row references a missing row",
    remedy: "file",
    sql: tables.all.flatMap(dangling).join(" UNION ALL ")
  },
  {
    wrong: "the next cursors have been drawn already",
    remedy: "file",
    sql: `SELECT 'cursor ' || l.cursor AS found FROM charlotte_log l
      WHERE l.cursor < (SELECT max(cursor) FROM charlotte_events)`
  }
]

const fileRules: ReadonlyArray<Rule> = [
  {
    wrong: "a row references a missing row",
    remedy: "file",
    sql: `SELECT "table" || coalesce(' ' || rowid, '') || ', ' || parent AS found FROM pragma_foreign_key_check`
  },
  {
    wrong: "the file is damaged",
    remedy: "file",
    sql: `SELECT integrity_check AS found FROM pragma_integrity_check WHERE integrity_check <> 'ok'`
  }
]

/** The rule about the limit of concurrent jobs, if the limit is known. */
export const capacityRule: Rule = {
  wrong: "more jobs are running than allowed",
  remedy: "capacity",
  sql: `SELECT kind || ': ' || count(*) || ' of ' || capacity.number AS found FROM charlotte_runs, capacity
    WHERE status = 'running' GROUP BY kind, capacity.number HAVING count(*) > capacity.number`
}

/** Common table expressions that name the parameters of a rule. */
export const parameters = {
  none: "",
  slice: "WITH slice (low, high) AS (VALUES (?, ?))",
  capacity: "WITH capacity (number) AS (VALUES (CAST(? AS INTEGER)))"
}

/** The last id and the number of jobs of the next slice. */
export const nextSlice = `SELECT max(id) AS last, count(*) AS jobs
  FROM (SELECT id FROM charlotte_runs WHERE id > ? AND pruned = 0 ORDER BY id LIMIT ?) AS slice`

export const countEvents = `${parameters.slice} SELECT count(*) AS events FROM charlotte_events WHERE ${inSlice("job_id")}`
