/**
 * Decodes rows of `charlotte_runs`.
 */
import type { Connection } from "./Dialect.js"
import type { SqlError } from "@effect/sql/SqlError"
import { Effect, Schema } from "effect"
import { JobId } from "../../domain/JobId.js"
import { Parked, Run, RunError, RunTrace } from "../../domain/Run.js"
import { RunStatus } from "../../domain/RunStatus.js"
import { columnsOf, query, type Value } from "./statements.js"

const Time = Schema.NullOr(Schema.DateTimeUtcFromNumber)

export const Row = Schema.Struct({
  id: JobId,
  kind: Schema.String,
  status: RunStatus,
  attempt: Schema.Number,
  key: Schema.NullOr(Schema.String),
  config: Schema.parseJson(),
  labels: Schema.parseJson(Schema.Record({ key: Schema.String, value: Schema.String })),
  priority: Schema.Number,
  created_at: Schema.DateTimeUtcFromNumber,
  start_at: Time,
  started_at: Time,
  stopping_at: Time,
  ended_at: Time,
  waits_for: Schema.NullOr(Schema.String),
  due_at: Time,
  parked: Schema.NullOr(Schema.parseJson(Parked)),
  woken_by: Schema.NullOr(Schema.String),
  crashes: Schema.Number,
  tries: Schema.Number,
  pinned: Schema.Number,
  trace: Schema.NullOr(Schema.parseJson(RunTrace)),
  result: Schema.NullOr(Schema.parseJson()),
  error: Schema.NullOr(Schema.parseJson(RunError))
})

/** The columns that `select` reads. */
export const runColumns = columnsOf(Row)

export const run = (row: typeof Row.Type): Run =>
  new Run(
    {
      id: row.id,
      kind: row.kind,
      status: row.status,
      attempt: row.attempt,
      config: row.config,
      labels: row.labels,
      priority: row.priority,
      createdAt: row.created_at,
      ...(row.start_at === null ? {} : { startAt: row.start_at }),
      ...(row.tries === 0 ? {} : { tries: row.tries }),
      ...(row.waits_for === null ? {} : { waitsFor: row.waits_for }),
      ...(row.parked === null ? {} : { parked: row.parked }),
      ...(row.started_at === null ? {} : { startedAt: row.started_at }),
      ...(row.ended_at === null ? {} : { endedAt: row.ended_at }),
      ...(row.pinned === 1 ? { pinned: true } : {}),
      ...(row.trace === null ? {} : { trace: row.trace }),
      ...(row.status === "completed" ? { result: row.result } : {}),
      ...(row.error === null ? {} : { error: row.error })
    },
    { disableValidation: true }
  )

const selectRows = query(Row)

/** The runs that a statement selects by `runColumns`. */
export const select = (
  connection: Connection,
  sql: string,
  params: ReadonlyArray<Value>
): Effect.Effect<ReadonlyArray<Run>, SqlError> =>
  Effect.map(selectRows(connection, sql, params), (rows) => rows.map(run))
