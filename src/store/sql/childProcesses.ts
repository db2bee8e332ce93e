/**
 * Statements on `charlotte_attempts`.
 */
import type { Connection } from "./Dialect.js"
import { DateTime, Effect, Schema } from "effect"
import { JobId } from "../../domain/JobId.js"
import type { OpenProcess, RecordedLog } from "../port/RunStoreService.js"
import { nullable, query } from "./statements.js"

export const statements = {
  open: `INSERT INTO charlotte_attempts (cookie, job_id, attempt, boot_id, machine, purpose, log, opened_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  spawned: "UPDATE charlotte_attempts SET pid = ?, start_time = ? WHERE cookie = ?",
  close: "UPDATE charlotte_attempts SET closed_at = ?, tail = ? WHERE cookie = ? AND closed_at IS NULL"
}

const select = query(
  Schema.Struct({
    cookie: Schema.String,
    job_id: JobId,
    attempt: Schema.Number,
    boot_id: Schema.String,
    machine: nullable(Schema.String),
    purpose: Schema.String,
    pid: nullable(Schema.Number),
    start_time: nullable(Schema.String)
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

const selectLogs = query(
  Schema.Struct({
    log: Schema.String,
    machine: nullable(Schema.String),
    opened_at: Schema.Number,
    closed_at: nullable(Schema.Number),
    tail: nullable(Schema.String)
  })
)

export const logs = (connection: Connection, jobId: JobId) =>
  Effect.map(
    selectLogs(
      connection,
      `SELECT log, machine, opened_at, closed_at, tail FROM charlotte_attempts
       WHERE job_id = ? AND log IS NOT NULL ORDER BY opened_at, cookie`,
      [jobId]
    ),
    (rows): ReadonlyArray<RecordedLog> =>
      rows.map((row) => ({
        log: row.log,
        machine: row.machine ?? undefined,
        openedAt: DateTime.unsafeMake(row.opened_at),
        closedAt: row.closed_at === null ? undefined : DateTime.unsafeMake(row.closed_at),
        tail: row.tail ?? undefined
      }))
  )
