/**
 * Statements on `charlotte_steps`.
 */
import type { Connection } from "./Dialect.js"
import type { SqlError } from "@effect/sql/SqlError"
import { DateTime, Effect, Option, Schema } from "effect"
import { JobId } from "../../domain/JobId.js"
import { RecordedStep } from "../../domain/RecordedStep.js"
import type { NewStep, StepStore } from "../port/RunStoreService.js"
import { columnsOf, execute, insert as insertRow, nullable, query } from "./statements.js"

/** A recorded step never changes: a failure that is forgotten is deleted. */
export const insert = (connection: Connection, step: NewStep): Effect.Effect<void, SqlError> => {
  const { attempt, chain, jobId, millis, name, ok, replaces, seq, tries, value } = step
  const forget = replaces
    ? execute(connection, "DELETE FROM charlotte_steps WHERE job_id = ? AND name = ? AND ok = 0", [chain, name])
    : Effect.void
  const row = {
    job_id: chain,
    name,
    seq,
    run_id: jobId,
    attempt,
    tries,
    at: DateTime.toEpochMillis(step.at),
    millis,
    ok: Number(ok),
    value
  }
  return Effect.zipRight(forget, insertRow(connection, "charlotte_steps", row))
}

const Kept = Schema.Struct({
  seq: Schema.Number,
  name: Schema.String,
  run_id: JobId,
  tries: Schema.Number,
  ok: Schema.Number,
  value: nullable(Schema.String)
})

const selectKept = query(Kept)

export const recall = (connection: Connection, chain: JobId) =>
  Effect.map(
    selectKept(connection, `SELECT ${columnsOf(Kept)} FROM charlotte_steps WHERE job_id = ? ORDER BY seq`, [chain]),
    (rows) =>
      rows.map(({ ok, run_id, value, ...row }) => ({ ...row, jobId: run_id, ok: ok === 1, value: value ?? undefined }))
  )

const Row = Schema.Struct({
  seq: Schema.Number,
  name: Schema.String,
  run_id: JobId,
  attempt: Schema.Number,
  at: Schema.DateTimeUtcFromNumber,
  millis: Schema.Number,
  ok: Schema.Number
})

const stepOf = ({ ok, run_id, ...row }: typeof Row.Type): RecordedStep =>
  new RecordedStep({ ...row, jobId: run_id, ok: ok === 1 }, { disableValidation: true })

const selectRows = query(Row)

export const list = (connection: Connection, { after, chain, limit }: Parameters<StepStore["list"]>[0]) =>
  Effect.map(
    selectRows(
      connection,
      `SELECT ${columnsOf(Row)} FROM charlotte_steps WHERE job_id = ? AND seq > ? ORDER BY seq LIMIT ?`,
      [chain, after, limit]
    ),
    (rows) => rows.map(stepOf)
  )

export const latest = (connection: Connection, { chain, limit }: Parameters<StepStore["latest"]>[0]) =>
  Effect.map(
    selectRows(connection, `SELECT ${columnsOf(Row)} FROM charlotte_steps WHERE job_id = ? ORDER BY seq DESC LIMIT ?`, [
      chain,
      limit
    ]),
    (rows) => rows.map(stepOf).reverse()
  )

const WithValue = Schema.Struct({ ...Row.fields, value: nullable(Schema.String) })

const selectWithValue = query(WithValue)

export const get = (connection: Connection, { chain, name }: Parameters<StepStore["get"]>[0]) =>
  Effect.map(
    selectWithValue(connection, `SELECT ${columnsOf(WithValue)} FROM charlotte_steps WHERE job_id = ? AND name = ?`, [
      chain,
      name
    ]),
    ([row]) =>
      Option.map(Option.fromNullable(row), ({ value, ...row }) => ({ step: stepOf(row), value: value ?? undefined }))
  )
