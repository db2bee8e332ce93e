/**
 * Decodes rows of `charlotte_runs`.
 */
import type { Connection } from "./Dialect.js"
import type { SqlError } from "@effect/sql/SqlError"
import { Effect, Schema } from "effect"
import { JobId } from "../../domain/JobId.js"
import { Parked, Run, RunError, RunTrace } from "../../domain/Run.js"
import { RunStatus } from "../../domain/RunStatus.js"
import { RecordedProgress, shown } from "../rules/recordedProgress.js"
import { columnsOf, nullable, query, type Value } from "./statements.js"

const Time = nullable(Schema.DateTimeUtcFromNumber)

export const Row = Schema.Struct({
  id: JobId,
  kind: Schema.String,
  status: RunStatus,
  attempt: Schema.Number,
  key: nullable(Schema.String),
  config: Schema.parseJson(),
  labels: Schema.parseJson(Schema.Record({ key: Schema.String, value: Schema.String })),
  grp: nullable(Schema.String),
  priority: Schema.Number,
  created_at: Schema.DateTimeUtcFromNumber,
  start_at: Time,
  started_at: Time,
  stopping_at: Time,
  ended_at: Time,
  waits_for: nullable(Schema.String),
  due_at: Time,
  parked: nullable(Schema.parseJson(Parked)),
  woken_by: nullable(Schema.String),
  crashes: Schema.Number,
  tries: Schema.Number,
  retry_of: nullable(JobId),
  chain: nullable(JobId),
  parent: nullable(JobId),
  progress: nullable(Schema.parseJson(RecordedProgress)),
  pinned: Schema.Number,
  refused_by: nullable(Schema.parseJson(Schema.Record({ key: Schema.String, value: Schema.String }))),
  refused_at: Time,
  trace: nullable(Schema.parseJson(RunTrace)),
  result: nullable(Schema.parseJson()),
  error: nullable(Schema.parseJson(RunError))
})

export const runColumns = columnsOf(Row)

/** The rank of runs of equal priority that are ready: a retry begins in the order of pending runs. `table` is empty or ends with a dot. */
export const dueRank = (table = ""): string =>
  `CASE WHEN ${table}status = 'interrupted' THEN 0
     WHEN ${table}status = 'parked' AND coalesce(${table}woken_by, '') <> 'retry' THEN 1 ELSE 2 END`

/** Looks up the run that retries a run of `r`: nothing is written to a run that has ended. */
export const retriedAs = "(SELECT t.id FROM charlotte_runs t WHERE t.retry_of = r.id AND t.pruned = 0) AS retried_as"

/**
 * Whether a failed run of `r` leaves its failure to its parent, which is not over, or has read it: the step of a child is recorded then. The
 * idempotency key of the first run of a child has its name.
 */
export const isHandled = `r.status = 'failed' AND r.parent IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM charlotte_runs p WHERE p.id = r.parent AND p.pruned = 0 AND p.ended_at IS NOT NULL AND NOT EXISTS (
      SELECT 1 FROM charlotte_runs f JOIN charlotte_steps s ON s.job_id = coalesce(p.chain, p.id)
        AND s.name = 'child/' || substr(f.idempotency_key, length(coalesce(p.chain, p.id)) + 2)
      WHERE f.id = coalesce(r.chain, r.id)))`

/** How many pauses the kind in a column has: 1 or 0. */
export const pausesOf = (kind: string): string =>
  `(SELECT count(p.kind) FROM charlotte_pauses p WHERE p.kind = ${kind})`

export const ListedRow = Schema.Struct({
  ...Row.fields,
  retried_as: nullable(JobId),
  handled: Schema.Number,
  paused: Schema.Number,
  first: Schema.Number
})

/**
 * The columns that `select` reads, of runs `r`. A run that waits for a permit is paused with its kind, unless it is due for a stop, and the
 * first run of a group with room waits for a permit: nothing is written to it.
 */
export const listedColumns = `${columnsOf(Row, "r")}, ${retriedAs}, CASE WHEN ${isHandled} THEN 1 ELSE 0 END AS handled,
  CASE WHEN r.waits_for IN ('permit', 'group') AND coalesce(r.woken_by, '') <> 'stop' THEN ${pausesOf("r.kind")} ELSE 0 END AS paused,
  CASE WHEN r.waits_for = 'group' THEN
    (SELECT count(g.kind) FROM charlotte_groups g WHERE g.kind = r.kind AND g.grp = r.grp AND g.head = r.id AND g.due = 1)
    ELSE 0 END AS first`

const waitsFor = ({ first, paused, waits_for }: { waits_for: string } & Partial<typeof ListedRow.Type>): string =>
  paused === 1 ? "paused" : first === 1 ? "permit" : waits_for

export const run = (row: typeof Row.Type & Partial<typeof ListedRow.Type>): Run =>
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
      ...(row.grp === null ? {} : { group: row.grp }),
      ...(row.start_at === null ? {} : { startAt: row.start_at }),
      ...(row.tries === 0 ? {} : { tries: row.tries }),
      ...(row.waits_for === null ? {} : { waitsFor: waitsFor({ ...row, waits_for: row.waits_for }) }),
      ...(row.parked === null ? {} : { parked: row.parked }),
      ...(row.started_at === null ? {} : { startedAt: row.started_at }),
      ...(row.ended_at === null ? {} : { endedAt: row.ended_at }),
      ...(row.retry_of === null ? {} : { retryOf: row.retry_of }),
      ...(row.chain === null ? {} : { chain: row.chain }),
      ...(row.parent === null ? {} : { parent: row.parent }),
      ...(row.retried_as === undefined || row.retried_as === null ? {} : { retriedAs: row.retried_as }),
      ...(row.handled === 1 ? { handled: true } : {}),
      ...shown(row.progress, row.tries),
      ...(row.pinned === 1 ? { pinned: true } : {}),
      ...(row.refused_by === null ? {} : { refusedBy: row.refused_by }),
      ...(row.refused_at === null ? {} : { refusedAt: row.refused_at }),
      ...(row.trace === null ? {} : { trace: row.trace }),
      ...(row.status === "completed" ? { result: row.result } : {}),
      ...(row.error === null ? {} : { error: row.error })
    },
    { disableValidation: true }
  )

const selectRows = query(ListedRow)

/** The runs that a statement selects by `listedColumns`. */
export const select = (
  connection: Connection,
  sql: string,
  params: ReadonlyArray<Value>
): Effect.Effect<ReadonlyArray<Run>, SqlError> =>
  Effect.map(selectRows(connection, sql, params), (rows) => rows.map(run))
