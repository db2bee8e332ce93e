/**
 * What the database says of the groups of a kind once all of their jobs have ended.
 */
import { Effect } from "effect"
import * as TestDatabase from "./database.js"

const ends = "('job.interrupted', 'job.parked', 'job.completed', 'job.failed', 'job.cancelled')"

/** The most jobs of one group that have run at once: the order of the events is that of their commits. */
export const mostAtOnce = (url: string): Effect.Effect<number> =>
  Effect.map(
    TestDatabase.rowsOf(
      url,
      `SELECT max(active) AS most FROM (
         SELECT sum(CASE WHEN e.type IN ${ends} THEN -1 ELSE 1 END) OVER (PARTITION BY r.grp ORDER BY e.cursor) AS active
         FROM charlotte_events e JOIN charlotte_runs r ON r.id = e.job_id
         WHERE e.type IN ('job.started', 'job.resumed') OR e.type IN ${ends}) AS changes`
    ),
    ([row]) => Number(row?.["most"])
  )

/** How many runs there are of each status. */
export const statuses = (url: string): Effect.Effect<Readonly<Record<string, number>>> =>
  Effect.map(TestDatabase.rowsOf(url, "SELECT status, count(*) AS runs FROM charlotte_runs GROUP BY status"), (rows) =>
    Object.fromEntries(rows.map(({ runs, status }) => [String(status), Number(runs)]))
  )

/** Returns when no run, and then no row about a group, is left. */
export const allOver = (url: string): Effect.Effect<void> =>
  Effect.forEach(
    ["charlotte_runs WHERE ended_at IS NULL", "charlotte_changed_groups", "charlotte_groups"],
    (rows) =>
      Effect.repeat(Effect.zipLeft(TestDatabase.rowsOf(url, `SELECT 1 FROM ${rows} LIMIT 1`), Effect.sleep(50)), {
        until: ({ length }) => length === 0
      }),
    { discard: true }
  )
