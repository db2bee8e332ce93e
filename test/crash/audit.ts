/**
 * Looks through a database that was left behind, by a crash or otherwise, for anything that must never be in one. Each query
 * gives what is wrong; a sound database gives nothing.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import { Effect, Schema } from "effect"

/** The lifecycle events of each job with the one before, and what became of each attempt. */
const views = `
  WITH numbered AS (
    SELECT job_id, seq, cursor, type, payload, type LIKE 'job.%' AS lifecycle,
      1 + sum(type = 'job.resumed') OVER (PARTITION BY job_id ORDER BY seq) AS attempt
    FROM charlotte_events
  ), steps AS (
    SELECT *, lag(type) OVER (PARTITION BY job_id ORDER BY seq) AS before FROM numbered WHERE lifecycle
  ), attempts AS (
    SELECT job_id, attempt, sum(NOT lifecycle) AS emitted,
      max(type = 'job.interrupted' AND payload ->> 'reason' = 'crash') AS crashed
    FROM numbered GROUP BY job_id, attempt
  ), streaks AS (
    SELECT job_id, attempt,
      sum(crashed) OVER (PARTITION BY job_id ORDER BY attempt ROWS 2 PRECEDING) = 3
        AND sum(emitted) OVER (PARTITION BY job_id ORDER BY attempt ROWS 1 PRECEDING) = 0 AS thrice
    FROM attempts
  )`

const terminal = `('job.completed', 'job.failed', 'job.cancelled')`

/** What may follow a lifecycle event; emitted ones stand between. */
const successors = {
  "job.started": ["job.stopping", "job.completed", "job.failed", "job.interrupted"],
  "job.resumed": ["job.stopping", "job.completed", "job.failed", "job.interrupted"],
  "job.stopping": ["job.completed", "job.failed", "job.cancelled"],
  "job.interrupted": ["job.resumed", "job.failed", "job.cancelled"]
}

const steps = Object.entries(successors).flatMap(([before, after]) => after.map((type) => `('${before}', '${type}')`))

const queries = {
  "events are not 1..n": `
    SELECT job_id AS found FROM charlotte_events GROUP BY job_id
    HAVING min(seq) <> 1 OR max(seq) <> count(*)`,

  "cursors do not rise with the numbers": `
    SELECT job_id AS found FROM
      (SELECT job_id, cursor, lag(cursor) OVER (PARTITION BY job_id ORDER BY seq) AS before FROM charlotte_events)
    WHERE cursor <= before`,

  "a job does not begin with job.started": `
    SELECT id AS found FROM charlotte_runs WHERE NOT EXISTS
      (SELECT 1 FROM charlotte_events WHERE job_id = id AND seq = 1 AND type = 'job.started')`,

  "a terminal status without exactly one terminal event, or the other way round": `
    SELECT id AS found FROM charlotte_runs
    WHERE (SELECT count(*) FROM charlotte_events WHERE job_id = id AND type IN ${terminal})
      <> (status IN ('completed', 'failed', 'cancelled'))`,

  "something follows the terminal event": `
    SELECT e.job_id AS found FROM charlotte_events e
    WHERE e.type IN ${terminal} AND EXISTS (SELECT 1 FROM charlotte_events l WHERE l.job_id = e.job_id AND l.seq > e.seq)`,

  "a lifecycle event follows one that it may not follow": `${views}
    SELECT job_id || ': ' || before || ', ' || type AS found FROM steps
    WHERE before IS NOT NULL AND (before, type) NOT IN (VALUES ${steps.join(", ")})`,

  "the status is not what the last lifecycle event says": `${views}
    SELECT id || ': ' || status || ', ' || type AS found FROM charlotte_runs JOIN steps ON job_id = id
    WHERE seq = (SELECT max(seq) FROM steps WHERE job_id = id)
      AND status <> CASE WHEN type IN ('job.started', 'job.resumed', 'job.stopping') THEN 'running' ELSE substr(type, 5) END`,

  "the attempt is not one more than the resumptions": `
    SELECT id AS found FROM charlotte_runs
    WHERE attempt <> 1 + (SELECT count(*) FROM charlotte_events WHERE job_id = id AND type = 'job.resumed')`,

  "an attempt was told with another number": `${views}
    SELECT job_id AS found FROM numbered
    WHERE type IN ('job.started', 'job.resumed') AND payload ->> 'attempt' <> attempt`,

  "more crashes without a sign of life than a job may have": `${views}
    SELECT streaks.job_id AS found FROM streaks JOIN attempts later
      ON later.job_id = streaks.job_id AND later.attempt > streaks.attempt
    WHERE thrice`,

  "given up for its crashes, and had fewer": `${views}
    SELECT id AS found FROM charlotte_runs JOIN streaks ON job_id = id AND streaks.attempt = charlotte_runs.attempt
    WHERE error ->> 'error' LIKE 'it crashed%' AND NOT thrice`,

  "two active jobs share a key": `
    SELECT kind || '/' || key AS found FROM charlotte_runs
    WHERE status = 'running' AND key IS NOT NULL GROUP BY kind, key HAVING count(*) > 1`,

  "a broken reference": `SELECT "table" AS found FROM pragma_foreign_key_check`,

  "a damaged file": `SELECT integrity_check AS found FROM pragma_integrity_check WHERE integrity_check <> 'ok'`
}

/** Of orchestrators that number what they emit: `payload` is `{ attempt, n }` with n = 1, 2, 3 … within the attempt. */
const numberedEmissions = {
  "emitted events are not 1..n within their attempt": `${views}
    SELECT DISTINCT job_id || ' in attempt ' || attempt AS found FROM
      (SELECT job_id, attempt, payload ->> 'attempt' AS by, payload ->> 'n' AS n,
        row_number() OVER (PARTITION BY job_id, attempt ORDER BY seq) AS position
       FROM numbered WHERE NOT lifecycle)
    WHERE by <> attempt OR n <> position`
}

const capacity = (maxJobs: number) => ({
  "more jobs run than may": `
    SELECT kind || ': ' || count(*) AS found FROM charlotte_runs WHERE status = 'running'
    GROUP BY kind HAVING count(*) > ${maxJobs}`
})

const Found = Schema.Array(Schema.Struct({ found: Schema.String }))

/** Whatever is wrong with the database, one sentence each. */
export const violations = ({ maxJobs }: { readonly maxJobs: number }) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    // A crash may come before the tables.
    if ((yield* sql.unsafe("SELECT 1 FROM sqlite_master WHERE name = 'charlotte_runs'")).length === 0) return []
    const asked = Object.entries({ ...queries, ...numberedEmissions, ...capacity(maxJobs) })
    const answers = yield* Effect.forEach(asked, ([wrong, query]) =>
      Effect.map(Effect.flatMap(sql.unsafe(query), Schema.decodeUnknown(Found)), (rows) =>
        rows.map(({ found }) => `${wrong}: ${found}`)
      )
    )
    return answers.flat()
  })
