/**
 * Statements on `charlotte_requests`: what producers ask the manager of a kind to do.
 */
import { DateTime, Duration, Effect, Option, Schema } from "effect"
import type { SqlError } from "@effect/sql/SqlError"
import { JobId } from "../../domain/JobId.js"
import type { Ask, NewResume, NewSignal, NewStop, Request } from "../port/RunStoreService.js"
import type { Connection } from "./Dialect.js"
import { wholeMillis } from "../rules/wholeMillis.js"
import * as senders from "./senders.js"
import { insert, nullable, query } from "./statements.js"

const Row = Schema.Struct({
  seq: Schema.Number,
  job_id: JobId,
  type: Schema.String,
  name: nullable(Schema.String),
  payload: nullable(Schema.String),
  sender: senders.Column,
  grace: nullable(Schema.Number)
})

const select = query(Row)

const askOf = ({ grace, name, payload, sender, type }: typeof Row.Type): Ask => {
  if (type === "signal" && name !== null) {
    return Option.some({ _tag: "Signal", name, payload: payload ?? undefined, sender: sender ?? undefined })
  }
  if (type === "wake") return Option.some({ _tag: "Wake" })
  if (type === "resume") return Option.some({ _tag: "Resume", sender: sender ?? undefined })
  if (type === "stop") {
    return Option.some({
      _tag: "Stop",
      grace: grace === null ? undefined : Duration.millis(grace),
      sender: sender ?? undefined
    })
  }
  return Option.none()
}

/** At most 1,000 requests, so that no read is long. */
export const list = (connection: Connection, kind: string): Effect.Effect<ReadonlyArray<Request>, SqlError> =>
  Effect.map(
    select(
      connection,
      `SELECT seq, job_id, type, name, payload, sender, grace FROM charlotte_requests WHERE kind = ?
       ORDER BY seq LIMIT 1000`,
      [kind]
    ),
    (rows) => rows.map((row) => ({ kind, seq: row.seq, jobId: row.job_id, asks: askOf(row) }))
  )

const selectCount = query(Schema.Struct({ requests: Schema.Number }))

/** The number of signals that wait for the manager. */
export const countSignals = (connection: Connection, jobId: JobId) =>
  Effect.map(
    selectCount(
      connection,
      "SELECT count(*) AS requests FROM charlotte_requests WHERE job_id = ? AND type = 'signal'",
      [jobId]
    ),
    ([row]) => row?.requests ?? 0
  )

export const insertSignal = (connection: Connection, { at, jobId, kind, name, payload, sender }: NewSignal) =>
  insert(connection, "charlotte_requests", {
    kind,
    job_id: jobId,
    type: "signal",
    name,
    payload: payload ?? null,
    sender: senders.text(sender),
    at: DateTime.toEpochMillis(at)
  })

export const insertStop = (connection: Connection, { at, grace, jobId, kind, sender }: NewStop) =>
  insert(connection, "charlotte_requests", {
    kind,
    job_id: jobId,
    type: "stop",
    sender: senders.text(sender),
    grace: grace === undefined ? null : wholeMillis(grace),
    at: DateTime.toEpochMillis(at)
  })

export const insertResume = (connection: Connection, { at, jobId, kind, sender }: NewResume) =>
  insert(connection, "charlotte_requests", {
    kind,
    job_id: jobId,
    type: "resume",
    sender: senders.text(sender),
    at: DateTime.toEpochMillis(at)
  })

/** The manager of the kind may be in another process. */
export const insertWake = (connection: Connection, { at, jobId, kind }: Pick<NewResume, "at" | "jobId" | "kind">) =>
  insert(connection, "charlotte_requests", { kind, job_id: jobId, type: "wake", at: DateTime.toEpochMillis(at) })

const selectRemoved = query(Schema.Struct({ seq: Schema.Number }))

/** Whether the request was still there. */
export const remove = (connection: Connection, seq: number): Effect.Effect<boolean, SqlError> =>
  Effect.map(
    selectRemoved(connection, "DELETE FROM charlotte_requests WHERE seq = ? RETURNING seq", [seq]),
    (rows) => rows.length > 0
  )
