/**
 * The life of a job on a bare better-sqlite3: the statements that the store runs for it, one transaction per state change.
 */
import { monotonicFactory } from "ulid"
import { number, report, stopwatch } from "../harness/Subject.js"
import { config } from "./manager.js"
import { open } from "./raw.js"

const database = await open()
const begin = database.prepare("BEGIN IMMEDIATE")
const commit = database.prepare("COMMIT")
const insertRun = database.prepare(
  `INSERT INTO charlotte_runs (id, kind, status, attempt, key, config, labels, submission, created_at, started_at)
   VALUES (?, ?, 'running', 1, ?, ?, ?, ?, ?, ?)`
)
const insertEvent = database.prepare(
  "INSERT INTO charlotte_events (job_id, seq, at, type, unit, task, payload) VALUES (?, ?, ?, ?, ?, ?, ?)"
)
const selectHead = database.prepare<[string], { readonly seq: number; readonly started_at: number }>(
  `SELECT kind, status, attempt, key, started_at, stopping_at, ended_at, crashes,
     (SELECT max(seq) FROM charlotte_events WHERE job_id = id) AS seq
   FROM charlotte_runs WHERE id = ?`
)
const updateRun = database.prepare(
  `UPDATE charlotte_runs SET status = ?, attempt = ?, key = ?, started_at = ?, stopping_at = ?, ended_at = ?,
     crashes = ?, result = ?, error = ?
   WHERE id = ? AND status = ? AND attempt = ?`
)
const nextId = monotonicFactory()

const life = (): void => {
  const id = nextId()
  const started = Date.now()
  begin.run()
  insertRun.run(id, "tasks", null, JSON.stringify(config), "{}", null, started, started)
  insertEvent.run(id, 1, started, "job.started", null, null, JSON.stringify({ attempt: 1 }))
  commit.run()

  const ended = Date.now()
  begin.run()
  const head = selectHead.get(id)
  if (head === undefined) throw new Error("the run is not there")
  updateRun.run("completed", 1, null, head.started_at, null, ended, 0, "null", null, id, "running", 1)
  insertEvent.run(id, head.seq + 1, ended, "job.completed", null, null, null)
  commit.run()
}

const lives = (millis: number): number => {
  const until = performance.now() + millis
  let count = 0
  for (; performance.now() < until; count++) life()
  return count
}

lives(number("warmUp"))
const read = stopwatch()
report(read(lives(number("millis"))))
