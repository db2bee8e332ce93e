/**
 * Statements on `charlotte_signals`.
 */
import type { Connection } from "./Dialect.js"
import { Effect, Option, Schema } from "effect"
import type { JobId } from "../../domain/JobId.js"
import { RecordedSignal } from "../../domain/RecordedSignal.js"
import type { NewSignal, Service } from "../port/RunStoreService.js"
import { execute, insert as insertRow, JsonText, nullable, query } from "./statements.js"

const selectCount = query(Schema.Struct({ signals: Schema.Number }))

/** The number of signals during an attempt; signals of a waiting run count towards the attempt before. */
export const countDuring = (connection: Connection, jobId: JobId, attempt: number) =>
  Effect.map(
    selectCount(connection, "SELECT count(*) AS signals FROM charlotte_signals WHERE job_id = ? AND attempt = ?", [
      jobId,
      attempt
    ]),
    ([row]) => row?.signals ?? 0
  )

export const insert = (connection: Connection, { jobId, name, payload }: NewSignal, attempt: number, seq: number) =>
  insertRow(connection, "charlotte_signals", { job_id: jobId, seq, attempt, name, payload })

/** Whether a signal of that name has come that no attempt has consumed. */
export const isWaiting = (connection: Connection, jobId: JobId, name: string) =>
  Effect.map(
    selectCount(
      connection,
      "SELECT count(*) AS signals FROM charlotte_signals WHERE job_id = ? AND name = ? AND used = 0",
      [jobId, name]
    ),
    ([row]) => (row?.signals ?? 0) > 0
  )

/** Marks all signals of that name as consumed. */
export const use = (connection: Connection, jobId: JobId, name: string) =>
  execute(connection, "UPDATE charlotte_signals SET used = 1 WHERE job_id = ? AND name = ? AND used = 0", [jobId, name])

const selectSignals = query(
  Schema.Struct({
    seq: Schema.Number,
    attempt: Schema.Number,
    name: Schema.String,
    payload: nullable(JsonText),
    used: Schema.Number
  })
)

/** Lists the signals of a job after `seq`, in order. */
export const list = (connection: Connection, { after, jobId, limit }: Parameters<Service["signals"]>[0]) =>
  Effect.map(
    selectSignals(
      connection,
      "SELECT seq, attempt, name, payload, used FROM charlotte_signals WHERE job_id = ? AND seq > ? ORDER BY seq LIMIT ?",
      [jobId, after, limit]
    ),
    (rows) =>
      rows.map(
        ({ payload, used, ...row }) =>
          new RecordedSignal(
            { ...row, used: used === 1, ...(payload === null ? {} : { payload: payload.json }) },
            { disableValidation: true }
          )
      )
  )

const selectPayload = query(Schema.Struct({ payload: nullable(JsonText) }))

/** The payload of the newest signal of that name; `undefined` if that signal had none. */
export const latest = (connection: Connection, jobId: JobId, name: string) =>
  Effect.map(
    selectPayload(
      connection,
      "SELECT payload FROM charlotte_signals WHERE job_id = ? AND name = ? ORDER BY seq DESC LIMIT 1",
      [jobId, name]
    ),
    ([row]): Option.Option<unknown> => Option.map(Option.fromNullable(row), ({ payload }) => payload?.json)
  )
