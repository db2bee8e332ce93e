/**
 * Statements on `charlotte_events`.
 */
import type { Connection } from "@effect/sql/SqlConnection"
import { DateTime, Effect, Schema } from "effect"
import { JobEvent } from "../../domain/JobEvent.js"
import { JobId } from "../../domain/JobId.js"
import type { AcceptedEvent } from "../Port.js"
import { inserter, JsonText, query, type Value } from "./Session.js"

const Row = Schema.Struct({
  cursor: Schema.Number,
  job_id: JobId,
  seq: Schema.Number,
  at: Schema.Number,
  type: Schema.String,
  unit: Schema.NullOr(Schema.String),
  task: Schema.NullOr(Schema.Number),
  payload: Schema.NullOr(JsonText)
})

const event = (row: typeof Row.Type): JobEvent =>
  new JobEvent(
    {
      jobId: row.job_id,
      seq: row.seq,
      cursor: row.cursor,
      at: DateTime.unsafeMake(row.at),
      type: row.type,
      ...(row.unit === null ? {} : { unit: row.unit }),
      ...(row.task === null ? {} : { task: row.task }),
      ...(row.payload === null ? {} : { payload: row.payload.json })
    },
    { disableValidation: true }
  )

const columns = "cursor, job_id, seq, at, type, unit, task, payload"

const selectOfJob = query(Row)

export const ofJob = (connection: Connection, jobId: JobId, after: number, limit: number) =>
  Effect.map(
    selectOfJob(
      connection,
      `SELECT ${columns} FROM charlotte_events WHERE job_id = ? AND seq > ? ORDER BY seq LIMIT ?`,
      [jobId, after, limit]
    ),
    (rows) => rows.map(event)
  )

const selectOfAll = query(Schema.extend(Row, Schema.Struct({ kind: Schema.String })))

/** Reads on by cursor alone and tells how far, so that a page of a rare kind costs no more than one of a common kind. */
export const ofAll = (connection: Connection, kind: string, after: number, limit: number) =>
  Effect.map(
    selectOfAll(
      connection,
      `SELECT e.cursor, e.job_id, e.seq, e.at, e.type, e.unit, e.task, e.payload, r.kind
       FROM (SELECT ${columns} FROM charlotte_events WHERE cursor > ? ORDER BY cursor LIMIT ?) e
       JOIN charlotte_runs r ON r.id = e.job_id
       ORDER BY e.cursor`,
      [after, limit]
    ),
    (rows) => ({
      events: rows.filter((row) => row.kind === kind).map(event),
      cursor: rows.at(-1)?.cursor ?? after,
      more: rows.length === limit
    })
  )

const selectLatest = query(Schema.Struct({ cursor: Schema.NullOr(Schema.Number) }))

export const latest = (connection: Connection) =>
  Effect.map(
    selectLatest(connection, "SELECT max(cursor) AS cursor FROM charlotte_events", []),
    ([row]) => row?.cursor ?? 0
  )

/** A row of the log, as it is inserted. */
export type NewRow = ReadonlyArray<Value>

export const newRow = (jobId: JobId, seq: number, event: AcceptedEvent): NewRow => [
  jobId,
  seq,
  DateTime.toEpochMillis(event.at),
  event.type,
  event.unit ?? null,
  event.task ?? null,
  event.payload ?? null
]

/** Appends rows, of whatever jobs. */
export const insert = inserter("charlotte_events (job_id, seq, at, type, unit, task, payload)", 7)
