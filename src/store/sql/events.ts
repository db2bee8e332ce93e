/**
 * Statements on `charlotte_events`.
 */
import type { Connection } from "@effect/sql/SqlConnection"
import { DateTime, Effect, Either, Predicate, Schema } from "effect"
import type { JobId } from "../../domain/JobId.js"
import type { AcceptedEvent } from "../Port.js"
import { columns, decode, type Read } from "./eventRow.js"
import { inserter, query, queryBy, type Value } from "./Session.js"

const sizeOf = (rows: ReadonlyArray<Read>): number => rows.reduce((sum, { size }) => sum + size, 0)

const selectOfJob = queryBy(decode)

export const ofJob = (connection: Connection, jobId: JobId, after: number, limit: number) =>
  Effect.map(
    selectOfJob(
      connection,
      `SELECT ${columns} FROM charlotte_events WHERE job_id = ? AND seq > ? ORDER BY seq LIMIT ?`,
      [jobId, after, limit]
    ),
    (rows) => ({ events: rows.map(({ event }) => event), size: sizeOf(rows) })
  )

const selectOfAll = queryBy((row) =>
  Either.map(decode(row), ({ event, size }) => ({
    event,
    size,
    kind: Predicate.isRecord(row) ? row["kind"] : undefined
  }))
)

/** Reads on by cursor alone and tells how far, so that a page of a rare kind costs no more than one of a common kind. */
export const ofAll = (connection: Connection, kind: string, after: number, limit: number) =>
  Effect.map(
    selectOfAll(
      connection,
      `SELECT e.*, r.kind
       FROM (SELECT ${columns} FROM charlotte_events WHERE cursor > ? ORDER BY cursor LIMIT ?) e
       JOIN charlotte_runs r ON r.id = e.job_id
       ORDER BY e.cursor`,
      [after, limit]
    ),
    (rows) => {
      const ours = rows.filter((row) => row.kind === kind)
      return {
        events: ours.map(({ event }) => event),
        cursor: rows.at(-1)?.event.cursor ?? after,
        more: rows.length === limit,
        size: sizeOf(ours)
      }
    }
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
