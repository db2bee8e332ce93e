/**
 * What must never be found in a database, each as a statement that looks for it. A sound database gives no rows.
 *
 * Those of jobs look at the jobs after one id, up to another one, so that however many there are, a statement reads a slice
 * of them. Each row is told by its `found`.
 */

export interface Rule {
  /** What is wrong, as the beginning of a sentence. */
  readonly wrong: string
  readonly remedy: Remedy
  readonly sql: string
}

/** What can be done about it: nothing with the record itself, a process to be ended, or a file that is not to be trusted. */
export type Remedy = "record" | "process" | "capacity" | "file"

const inSlice = (column: string) => `${column} > (SELECT low FROM slice) AND ${column} <= (SELECT high FROM slice)`

/** Events with the number of their attempt, and what became of each attempt. */
const numbered = `
  numbered AS (
    SELECT job_id, seq, type, payload, type LIKE 'job.%' AS lifecycle,
      1 + sum(type = 'job.resumed') OVER (PARTITION BY job_id ORDER BY seq) AS attempt
    FROM charlotte_events WHERE ${inSlice("job_id")}
  )`

/** Whether an attempt was the third in a row that crashed without an event of its orchestrator between. */
const streaks = `
  attempts AS (
    SELECT job_id, attempt, sum(NOT lifecycle) AS emitted,
      max(type = 'job.interrupted' AND payload ->> 'reason' = 'crash') AS crashed
    FROM numbered GROUP BY job_id, attempt
  ), streaks AS (
    SELECT job_id, attempt, lead(attempt) OVER (PARTITION BY job_id ORDER BY attempt) AS later,
      sum(crashed) OVER (PARTITION BY job_id ORDER BY attempt ROWS 2 PRECEDING) = 3
        AND sum(emitted) OVER (PARTITION BY job_id ORDER BY attempt ROWS 1 PRECEDING) = 0 AS thrice
    FROM attempts
  )`

const terminal = `('job.completed', 'job.failed', 'job.cancelled')`

/**
 * What may follow a lifecycle event; emitted ones stand between. A job that is stopped while nothing can be written has no
 * `job.stopping` when its end is recorded at last.
 */
const successors = {
  "job.started": ["job.stopping", "job.completed", "job.failed", "job.cancelled", "job.interrupted"],
  "job.resumed": ["job.stopping", "job.completed", "job.failed", "job.cancelled", "job.interrupted"],
  "job.stopping": ["job.completed", "job.failed", "job.cancelled"],
  "job.interrupted": ["job.resumed", "job.failed", "job.cancelled"]
}

const steps = Object.entries(successors).flatMap(([before, after]) => after.map((type) => `('${before}', '${type}')`))

const record = (wrong: string, sql: string): Rule => ({ wrong, remedy: "record", sql })

const ofEvents: ReadonlyArray<Rule> = [
  record(
    "its events are not numbered 1, 2, 3 …",
    `SELECT job_id AS found FROM charlotte_events WHERE ${inSlice("job_id")} GROUP BY job_id
     HAVING min(seq) <> 1 OR max(seq) <> count(*)`
  ),
  record(
    "its cursors do not rise with its numbers",
    `SELECT DISTINCT job_id AS found FROM
       (SELECT job_id, cursor, lag(cursor) OVER (PARTITION BY job_id ORDER BY seq) AS before
        FROM charlotte_events WHERE ${inSlice("job_id")})
     WHERE cursor <= before`
  ),
  record(
    "it does not begin with job.started",
    `SELECT id AS found FROM charlotte_runs WHERE ${inSlice("id")} AND started_at IS NOT NULL AND NOT EXISTS
       (SELECT 1 FROM charlotte_events WHERE job_id = id AND seq = 1 AND type = 'job.started')`
  ),
  record(
    "it is over without exactly one event that says so, or the other way round",
    `SELECT id AS found FROM charlotte_runs WHERE ${inSlice("id")}
       AND (SELECT count(*) FROM charlotte_events WHERE job_id = id AND type IN ${terminal})
         <> (status IN ('completed', 'failed', 'cancelled'))`
  ),
  record(
    "something follows its last event",
    `SELECT e.job_id AS found FROM charlotte_events e WHERE ${inSlice("e.job_id")} AND e.type IN ${terminal}
       AND EXISTS (SELECT 1 FROM charlotte_events l WHERE l.job_id = e.job_id AND l.seq > e.seq)`
  ),
  record(
    "one of its events follows one that it may not follow",
    `SELECT job_id || ': ' || before || ', ' || type AS found FROM
       (SELECT job_id, type, lag(type) OVER (PARTITION BY job_id ORDER BY seq) AS before
        FROM charlotte_events WHERE ${inSlice("job_id")} AND type LIKE 'job.%')
     WHERE before IS NOT NULL AND (before, type) NOT IN (VALUES ${steps.join(", ")})`
  ),
  record(
    "its status is not what its events say",
    `SELECT id || ': ' || status || ', ' || type AS found FROM charlotte_runs JOIN
       (SELECT job_id, type, max(seq) FROM charlotte_events WHERE ${inSlice("job_id")} AND type LIKE 'job.%'
        GROUP BY job_id) ON job_id = id
     WHERE status <> CASE WHEN type IN ('job.started', 'job.resumed', 'job.stopping') THEN 'running'
       ELSE substr(type, 5) END`
  ),
  record(
    "its attempts are not one more than its resumptions",
    `SELECT id AS found FROM charlotte_runs WHERE ${inSlice("id")}
       AND attempt <> 1 + (SELECT count(*) FROM charlotte_events WHERE job_id = id AND type = 'job.resumed')`
  ),
  record(
    "an attempt was told with another number",
    `WITH ${numbered}
     SELECT job_id AS found FROM numbered WHERE type IN ('job.started', 'job.resumed') AND payload ->> 'attempt' <> attempt`
  ),
  record(
    "it went on after three crashes without a sign of life",
    `WITH ${numbered}, ${streaks} SELECT job_id AS found FROM streaks WHERE thrice AND later IS NOT NULL`
  ),
  record(
    "it was given up for its crashes, and had fewer",
    `WITH ${numbered}, ${streaks}
     SELECT id AS found FROM charlotte_runs JOIN streaks ON job_id = id AND streaks.attempt = charlotte_runs.attempt
     WHERE error ->> 'error' LIKE 'it crashed%' AND NOT thrice`
  )
]

const ofWork: ReadonlyArray<Rule> = [
  record(
    "a unit was begun before one that it depends on was merged",
    `SELECT u.job_id || ': ' || u.unit || ' before ' || n.value AS found
     FROM charlotte_units u JOIN json_each(u.depends_on) n
       LEFT JOIN charlotte_units d ON d.job_id = u.job_id AND d.unit = n.value
     WHERE ${inSlice("u.job_id")} AND u.state IN ('running', 'merged', 'failed')
       AND (d.state IS NULL OR d.state NOT IN ('merged', 'skipped'))`
  ),
  record(
    "a unit is blocked by none",
    `SELECT u.job_id || ': ' || u.unit AS found FROM charlotte_units u
     WHERE ${inSlice("u.job_id")} AND u.state = 'blocked' AND NOT EXISTS
       (SELECT 1 FROM json_each(u.depends_on) n JOIN charlotte_units d ON d.job_id = u.job_id AND d.unit = n.value
        WHERE d.state IN ('failed', 'blocked'))`
  ),
  record(
    "a unit was merged before one that stands before it was over",
    `SELECT u.job_id || ': ' || u.unit || ' before ' || e.unit AS found
     FROM charlotte_units u JOIN charlotte_units e ON e.job_id = u.job_id AND e.position < u.position
     WHERE ${inSlice("u.job_id")} AND u.state = 'merged' AND e.state IN ('pending', 'running')`
  ),
  record(
    "a unit was merged before its tasks were done",
    `SELECT u.job_id || ': ' || u.unit || ' ' || t.task AS found
     FROM charlotte_units u JOIN charlotte_tasks t ON t.job_id = u.job_id AND t.unit = u.unit
     WHERE ${inSlice("u.job_id")} AND u.state = 'merged' AND t.state NOT IN ('completed', 'skipped')`
  ),
  record(
    "a task was begun before the one that stands before it was done",
    `SELECT found FROM
       (SELECT job_id || ': ' || unit || ' ' || task AS found, state,
          lag(state) OVER (PARTITION BY job_id, unit ORDER BY position) AS before
        FROM charlotte_tasks WHERE ${inSlice("job_id")} AND state <> 'skipped')
     WHERE state <> 'pending' AND before <> 'completed'`
  ),
  record(
    "it is completed, and not all of its units are",
    `SELECT id || ': ' || unit AS found FROM charlotte_runs JOIN charlotte_units ON job_id = id
     WHERE ${inSlice("id")} AND status = 'completed' AND state NOT IN ('merged', 'skipped')`
  )
]

const labelsOfRuns = `SELECT r.id AS found, l.key, l.value, r.kind, r.status
   FROM charlotte_runs r, json_each(r.labels) l WHERE ${inSlice("r.id")}`

const labelsOfIndex = `SELECT run_id AS found, name, value, kind, status
   FROM charlotte_labels WHERE ${inSlice("run_id")}`

const ofLabels: ReadonlyArray<Rule> = [
  record(
    "the labels that it is found by are not its own, or not up to date",
    `SELECT found FROM (${labelsOfRuns} EXCEPT ${labelsOfIndex})
     UNION SELECT found FROM (${labelsOfIndex} EXCEPT ${labelsOfRuns})`
  )
]

const leftOpen = (wrong: string, where: string): Rule => ({
  wrong,
  remedy: "process",
  sql: `SELECT a.job_id || ': ' || a.purpose || ' (RUN_BY_CHARLOTTE=' || a.cookie || ')' AS found
    FROM charlotte_runs r JOIN charlotte_attempts a ON a.job_id = r.id AND a.closed_at IS NULL
      LEFT JOIN charlotte_owners o ON o.kind = r.kind
    WHERE ${inSlice("r.id")} AND ${where}`
})

const ofProcesses: ReadonlyArray<Rule> = [
  leftOpen("it is over, and a process of it may be left", `r.ended_at IS NOT NULL`),
  leftOpen("a process of an earlier attempt may be left", `r.ended_at IS NULL AND a.attempt <> r.attempt`),
  leftOpen("a process of an earlier boot of the machine was never looked for", `a.boot_id <> o.boot_id`)
]

/** Of jobs, in slices. */
export const ofJobs: ReadonlyArray<Rule> = [...ofEvents, ...ofLabels, ...ofWork, ...ofProcesses]

/** Of the whole database. */
export const ofDatabase: ReadonlyArray<Rule> = [
  record(
    "two active jobs share a key",
    `SELECT kind || ', ' || key AS found FROM charlotte_runs
     WHERE status IN ('pending', 'running') AND key IS NOT NULL GROUP BY kind, key HAVING count(*) > 1`
  ),
  {
    wrong: "a row refers to one that is not there",
    remedy: "file",
    sql: `SELECT "table" || coalesce(' ' || rowid, '') || ', ' || parent AS found FROM pragma_foreign_key_check`
  },
  {
    wrong: "the file is damaged",
    remedy: "file",
    sql: `SELECT integrity_check AS found FROM pragma_integrity_check WHERE integrity_check <> 'ok'`
  }
]

/** Of the whole database, when it is known how many jobs may run at once. */
export const ofCapacity: Rule = {
  wrong: "more jobs run than may",
  remedy: "capacity",
  sql: `SELECT kind || ': ' || count(*) || ' of ' || places.number AS found FROM charlotte_runs, places
    WHERE status = 'running' GROUP BY kind HAVING count(*) > places.number`
}

/** What the parameters of a statement are called in it. */
export const given = {
  nothing: "",
  slice: "WITH slice (low, high) AS (VALUES (?, ?))",
  places: "WITH places (number) AS (VALUES (CAST(? AS INTEGER)))"
}

/** The last id of a slice that begins after another one, how many jobs are in it, and how many events they have. */
export const nextSlice = `SELECT max(id) AS last, count(*) AS jobs
  FROM (SELECT id FROM charlotte_runs WHERE id > ? ORDER BY id LIMIT ?)`

export const countEvents = `${given.slice} SELECT count(*) AS events FROM charlotte_events WHERE ${inSlice("job_id")}`
