/**
 * Fills a database as very many jobs would: two statements insert the rows that the store writes for each; then it is indexed.
 */
import { SqlClient } from "@effect/sql/SqlClient"
import { Effect, Schedule } from "effect"
import { closeSync, fsyncSync, openSync } from "node:fs"
import { number, report, stopwatch, text } from "../harness/Subject.js"
import { idOf, teams } from "./history.js"
import { config, store } from "./manager.js"
import { open } from "./raw.js"

const jobs = number("jobs")
const each = number("events")
const database = await open()
// After a crash, the database is filled again.
database.exec(
  "PRAGMA foreign_keys = OFF; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -500000"
)

const read = stopwatch()
const series = `WITH RECURSIVE series(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM series WHERE n < ?)`
const id = `'${idOf("")}' || printf('%024d', n)`
database.exec("BEGIN")
// One job in twenty has failed, one in ten has a label, and each hundred share a directory of tasks.
database
  .prepare(
    `${series}
     INSERT INTO charlotte_runs (id, kind, status, attempt, config, labels, created_at, started_at, ended_at, result, error)
     SELECT ${id}, 'tasks', iif(n % 20 = 7, 'failed', 'completed'), 1, json_set(?, '$.tasksDir', 'tasks/batch' || (n / 100)),
       iif(n % 10 = 3, json_object('team', 'team-' || (n / 10 % ${teams})), '{}'), n * 1000, n * 1000, n * 1000 + 500,
       iif(n % 20 = 7, NULL, 'null'), iif(n % 20 = 7, '{"kind":"failure","error":"no","cause":"no"}', NULL)
     FROM series`
  )
  .run(jobs - 1, JSON.stringify(config))
database
  .prepare(
    `${series}, place(seq) AS (SELECT 1 UNION ALL SELECT seq + 1 FROM place WHERE seq < ?)
     INSERT INTO charlotte_events (job_id, seq, at, type, payload)
     SELECT ${id}, seq, n * 1000 + seq,
       CASE seq WHEN 1 THEN 'job.started' WHEN ${each} THEN iif(n % 20 = 7, 'job.failed', 'job.completed')
         ELSE 'bench.tick' END,
       CASE seq WHEN 1 THEN '{"attempt":1}' WHEN ${each} THEN NULL
         ELSE json_object('n', seq, 'text', 'as long as a line') END
     FROM series CROSS JOIN place`
  )
  .run(jobs - 1, each)
database.exec("COMMIT")
database.close()
// The next store that opens it indexes the jobs for search, in the background.
const unindexed = Effect.flatMap(SqlClient, (sql) => sql<{ n: number }>`SELECT count(*) AS n FROM charlotte_unindexed`)
await Effect.runPromise(
  Effect.repeat(unindexed, { until: ([row]) => row?.n === 0, schedule: Schedule.spaced("1 second") }).pipe(
    Effect.provide(store)
  )
)
const file = openSync(text("file"), "r")
fsyncSync(file)
closeSync(file)
report(read(jobs * each))
