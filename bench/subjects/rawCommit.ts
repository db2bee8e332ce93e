/**
 * How long one commit takes, after the rest that the parameters set: the first transaction of a job's life, on a bare better-sqlite3.
 */
import { setTimeout as sleep } from "node:timers/promises"
import { percentile } from "../harness/Benchmark.js"
import { number, report } from "../harness/Subject.js"
import { config } from "./manager.js"
import { open } from "./raw.js"

const database = await open()
const begin = database.prepare("BEGIN IMMEDIATE")
const commit = database.prepare("COMMIT")
const insert = database.prepare(
  `INSERT INTO charlotte_runs (id, kind, status, attempt, config, labels, created_at, started_at)
   VALUES (?, 'tasks', 'running', 1, ?, '{}', 0, 0)`
)

let last = 0
const one = async (): Promise<number> => {
  if (number("rest") > 0) await sleep(number("rest"))
  const begun = performance.now()
  begin.run()
  insert.run(String(++last).padStart(26, "0"), JSON.stringify(config))
  commit.run()
  return performance.now() - begun
}

for (let n = 0; n < 50; n++) await one()
const all: Array<number> = []
for (let n = 0; n < number("jobs"); n++) all.push(await one())
report({ p50: percentile(all, 0.5), p99: percentile(all, 0.99) })
