/**
 * The same rows of events on a bare better-sqlite3, in batches of 100.
 */
import { monotonicFactory } from "ulid"
import { number, report, stopwatch } from "../harness/Subject.js"
import { open } from "./raw.js"

const jobs = number("jobs")
const each = number("events") / jobs
const database = await open()
const begin = database.prepare("BEGIN IMMEDIATE")
const commit = database.prepare("COMMIT")
const insertRun = database.prepare(
  `INSERT INTO charlotte_runs (id, kind, status, attempt, config, labels, created_at, started_at)
   VALUES (?, 'tasks', 'running', 1, '{}', '{}', 0, 0)`
)
const insert = database.prepare(
  "INSERT INTO charlotte_events (job_id, seq, at, type, unit, task, payload) VALUES (?, ?, ?, ?, ?, ?, ?)"
)
const nextId = monotonicFactory()

const round = () => {
  const ids = Array.from({ length: jobs }, () => nextId())
  for (const id of ids) insertRun.run(id)
  const read = stopwatch()
  let inBatch = 0
  for (let n = 0; n < each; n++) {
    for (const id of ids) {
      if (inBatch === 0) begin.run()
      const payload = JSON.stringify({ n, text: "as long as a line" })
      insert.run(id, n + 1, Date.now(), "bench.tick", null, null, payload)
      inBatch = (inBatch + 1) % 100
      if (inBatch === 0) commit.run()
    }
  }
  if (inBatch > 0) commit.run()
  return read(jobs * each)
}

round()
report(round())
