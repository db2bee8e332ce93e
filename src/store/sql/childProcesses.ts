/**
 * Statements on `charlotte_attempts`.
 */
import type { Connection } from "./Dialect.js"
import { Effect, Schema } from "effect"
import { JobId } from "../../domain/JobId.js"
import type { OpenProcess } from "../ChildProcessStore.js"
import { query } from "./statements.js"

export const statements = {
  open: `INSERT INTO charlotte_attempts (cookie, job_id, attempt, boot_id, machine, purpose, opened_at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
  spawned: "UPDATE charlotte_attempts SET pid = ?, start_time = ? WHERE cookie = ?",
  close: "UPDATE charlotte_attempts SET closed_at = ? WHERE cookie = ? AND closed_at IS NULL"
}

const select = query(
  Schema.Struct({
    cookie: Schema.String,
    job_id: JobId,
    attempt: Schema.Number,
    boot_id: Schema.String,
    machine: Schema.NullOr(Schema.String),
    purpose: Schema.String,
    pid: Schema.NullOr(Schema.Number),
    start_time: Schema.NullOr(Schema.String)
  })
)

const selectJobs = query(Schema.Struct({ job_id: JobId }))

export const leftBy = (connection: Connection, kind: string) =>
  Effect.map(
    selectJobs(
      connection,
      `SELECT DISTINCT job_id FROM charlotte_attempts JOIN charlotte_runs ON id = job_id
       WHERE closed_at IS NULL AND kind = ? ORDER BY job_id`,
      [kind]
    ),
    (rows): ReadonlyArray<JobId> => rows.map((row) => row.job_id)
  )

export const unclosed = (connection: Connection, jobId: JobId) =>
  Effect.map(
    select(
      connection,
      `SELECT cookie, job_id, attempt, boot_id, machine, purpose, pid, start_time FROM charlotte_attempts
       WHERE job_id = ? AND closed_at IS NULL ORDER BY opened_at`,
      [jobId]
    ),
    (rows): ReadonlyArray<OpenProcess> =>
      rows.map((row) => ({
        cookie: row.cookie,
        jobId: row.job_id,
        attempt: row.attempt,
        bootId: row.boot_id,
        machine: row.machine ?? undefined,
        purpose: row.purpose,
        pid: row.pid ?? undefined,
        startTime: row.start_time ?? undefined
      }))
  )
