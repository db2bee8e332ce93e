/**
 * Statements on `charlotte_runs`.
 */
import type { Connection } from "./Dialect.js"
import type { SqlError } from "@effect/sql/SqlError"
import { DateTime, Effect, Option, Schema, Struct } from "effect"
import { stringify } from "../../internal/Json.js"
import { JobId } from "../../domain/JobId.js"
import { Parked, RunError, type RunTrace } from "../../domain/Run.js"
import { keysOf, type Retried, type Retry } from "../rules/admitRun.js"
import type { Key, NewRun, OwnKeys, Service, UnfinishedRun } from "../port/RunStoreService.js"
import type { RecordedProgress } from "../rules/recordedProgress.js"
import type { Rescheduled } from "../rules/rescheduled.js"
import type { State } from "../rules/RunTransition.js"
import type * as columns from "./columns.js"
import { listedColumns, ListedRow, retriedAs, Row, run, runColumns, select } from "./runRow.js"
import * as senders from "./senders.js"
import { columnsOf, execute, JsonText, nullable, query } from "./statements.js"

export const get = (connection: Connection, id: JobId) =>
  Effect.map(
    select(connection, `SELECT ${listedColumns} FROM charlotte_runs r WHERE id = ? AND pruned = 0`, [id]),
    ([row]) => Option.fromNullable(row)
  )

const selectPlanned = query(Schema.Struct({ ...ListedRow.fields, planned: Schema.Number }))

/** A run, and whether it has units and tasks. */
export const getPlanned = (connection: Connection, id: JobId) =>
  Effect.map(
    selectPlanned(
      connection,
      `SELECT ${listedColumns}, CASE WHEN EXISTS (SELECT 1 FROM charlotte_units WHERE job_id = r.id) THEN 1 ELSE 0 END AS planned
       FROM charlotte_runs r WHERE id = ? AND pruned = 0`,
      [id]
    ),
    ([row]) => Option.map(Option.fromNullable(row), (row) => ({ run: run(row), isPlanned: row.planned === 1 }))
  )

const selectSubmission = query(Schema.Struct({ submission: nullable(JsonText) }))

export const submission = (connection: Connection, id: JobId) =>
  Effect.map(
    selectSubmission(connection, "SELECT submission FROM charlotte_runs WHERE id = ? AND pruned = 0", [id]),
    ([row]): Option.Option<unknown> => Option.map(Option.fromNullable(row?.submission), ({ json }) => json)
  )

const selectOwnKeys = query(Schema.Struct({ key: nullable(Schema.String), start_key: nullable(Schema.String) }))

/** The keys that a run was started with. */
export const ownKeys = (connection: Connection, id: JobId) =>
  Effect.map(
    selectOwnKeys(connection, "SELECT key, start_key FROM charlotte_runs WHERE id = ? AND pruned = 0", [id]),
    ([row]): OwnKeys => ({ key: row?.key ?? undefined, startKey: row?.start_key ?? undefined })
  )

const selectRetried = query(Schema.Struct({ chain: JobId, retried_as: nullable(JobId) }))

/** The chain of a run that has ended, and the run that retries it. */
export const retried = (connection: Connection, kind: string, id: JobId) =>
  Effect.map(
    selectRetried(
      connection,
      `SELECT coalesce(r.chain, r.id) AS chain, ${retriedAs} FROM charlotte_runs r
       WHERE r.id = ? AND r.kind = ? AND r.ended_at IS NOT NULL AND r.pruned = 0`,
      [id, kind]
    ),
    ([row]): Option.Option<Retried> =>
      row === undefined ? Option.none() : Option.some({ chain: row.chain, as: row.retried_as ?? undefined })
  )

/** Records the submission data of a run that is checked for the first time when it begins. */
export const recordSubmission = (connection: Connection, id: JobId, submission: string) =>
  execute(connection, "UPDATE charlotte_runs SET submission = ? WHERE id = ?", [submission, id])

export const recordTrace = (connection: Connection, id: JobId, trace: RunTrace) =>
  execute(connection, "UPDATE charlotte_runs SET trace = ? WHERE id = ?", [JSON.stringify(trace), id])

export const recordProgress = (connection: Connection, id: JobId, progress: RecordedProgress) =>
  execute(connection, "UPDATE charlotte_runs SET progress = ? WHERE id = ?", [JSON.stringify(progress), id])

const selectUnfinished = query(Row)

export const unfinished = (
  connection: Connection,
  { after, kind, limit, status }: Parameters<Service["unfinished"]>[0]
) =>
  Effect.map(
    selectUnfinished(
      connection,
      `SELECT ${runColumns} FROM charlotte_runs
       WHERE kind = ? AND status ${status === undefined ? "IN ('pending', 'running', 'interrupted', 'parked')" : "= ?"} AND id > ?
       ORDER BY id LIMIT ?`,
      [kind, ...(status === undefined ? [] : [status]), after ?? "", limit]
    ),
    (rows): ReadonlyArray<UnfinishedRun> =>
      rows.map((row) => ({ run: run(row), stopping: row.stopping_at !== null, crashes: row.crashes }))
  )

/** Where a run is placed in a cluster, and the node that has taken it. */
export interface Place {
  readonly address: string
  readonly node?: string
}

/** A row to insert. */
export type NewRow = columns.Row<typeof columns.runs>

const time = (at: DateTime.Utc | undefined): number | null => (at === undefined ? null : DateTime.toEpochMillis(at))

export const newRow = (
  run: NewRun,
  state: State,
  {
    isInOutbox = false,
    on,
    retry
  }: {
    readonly isInOutbox?: boolean
    readonly on?: Place | undefined
    readonly retry?: Retry | undefined
  } = {}
): NewRow => ({
  id: run.id,
  kind: run.kind,
  status: state.status,
  attempt: state.attempt,
  key: run.key ?? null,
  start_key: run.startKey ?? null,
  config: stringify(run.config),
  labels: JSON.stringify(run.labels),
  grp: run.group ?? null,
  submission: run.submission ?? null,
  searched: run.searched ?? null,
  idempotency_key: run.idempotency?.key ?? null,
  request: run.idempotency?.request ?? null,
  priority: run.priority ?? 0,
  created_at: time(run.at),
  start_at: time(run.startAt),
  started_at: time(state.startedAt),
  waits_for: state.waitsFor ?? null,
  due_at: time(state.dueAt),
  sender: senders.text(state.sender),
  replaces: Number(run.whenKeyTaken === "replace"),
  outbox: Number(isInOutbox),
  retry_of: retry?.of ?? null,
  chain: retry?.chain ?? null,
  parent: run.parent ?? null,
  trace: run.trace === undefined ? null : JSON.stringify(run.trace),
  node: on?.address ?? null,
  runner: on?.node ?? null
})

/** The state of a job, which a write reads first. */
export interface Head {
  readonly kind: string
  readonly startKey: string | undefined
  readonly startAt: DateTime.Utc | undefined
  readonly priority: number
  readonly state: State
  /** The sequence number of the last event of the job. */
  readonly seq: number
  /** Whether a transaction of the application has inserted the run, and it has no event yet. */
  readonly isInOutbox: boolean
  /** The node of a cluster that has taken the attempt. */
  readonly runner: string | undefined
  /** The job that its end wakes. */
  readonly parent: JobId | undefined
  /** The first run of its chain. */
  readonly chain: JobId
  /** How many of its children have ended; undefined if it has none. */
  readonly childEnds: number | undefined
}

const HeadRow = Schema.Struct({
  ...Struct.pick(
    Row.fields,
    "id",
    "kind",
    "status",
    "attempt",
    "key",
    "grp",
    "priority",
    "start_at",
    "started_at",
    "stopping_at",
    "ended_at",
    "waits_for",
    "due_at",
    "parked",
    "woken_by",
    "crashes",
    "tries",
    "chain",
    "parent"
  ),
  start_key: nullable(Schema.String),
  sender: senders.Column,
  outbox: Schema.Number,
  runner: nullable(Schema.String),
  child_ends: nullable(Schema.Number)
})

/** Selects heads, with one query for any number of jobs. */
const selectHeads = query(Schema.Struct({ ...HeadRow.fields, seq: Schema.Number }))

const headColumns = columnsOf(HeadRow, "r")

/** The heads of the jobs that exist. */
export const heads = (
  connection: Connection,
  ids: ReadonlyArray<JobId>
): Effect.Effect<ReadonlyMap<JobId, Head>, SqlError> =>
  Effect.map(
    // The lock comes first, so that no other connection appends an event after the last one is read.
    Effect.flatMap(connection.dialect.lockRuns(connection, ids), () =>
      selectHeads(
        connection,
        `SELECT ${headColumns},
         (SELECT CASE WHEN r.outbox = 1 THEN 0 ELSE max(seq) END FROM charlotte_events WHERE job_id = r.id) AS seq
       FROM ${connection.dialect.strings} ids CROSS JOIN charlotte_runs r WHERE r.id = ids.value AND r.pruned = 0`,
        [JSON.stringify(ids)]
      )
    ),
    (rows) =>
      new Map(
        rows.map(({ chain, child_ends, id, kind, outbox, parent, runner, seq, ...row }) => [
          id,
          {
            kind,
            seq,
            isInOutbox: outbox === 1,
            runner: runner ?? undefined,
            parent: parent ?? undefined,
            chain: chain ?? id,
            childEnds: child_ends ?? undefined,
            startKey: row.start_key ?? undefined,
            startAt: row.start_at ?? undefined,
            priority: row.priority,
            state: {
              status: row.status,
              attempt: row.attempt,
              key: row.key ?? undefined,
              group: row.grp ?? undefined,
              startedAt: row.started_at ?? undefined,
              stoppingAt: row.stopping_at ?? undefined,
              endedAt: row.ended_at ?? undefined,
              waitsFor: row.waits_for ?? undefined,
              dueAt: row.due_at ?? undefined,
              parked: row.parked ?? undefined,
              wokenBy: row.woken_by ?? undefined,
              sender: row.sender ?? undefined,
              crashes: row.crashes,
              tries: row.tries,
              result: undefined,
              error: undefined
            }
          }
        ])
      )
  )

/** The head of a newly inserted run. */
export const newHead = (
  { id, kind, parent, priority = 0, startAt, startKey }: NewRun,
  state: State,
  { on, retry }: { readonly on?: Place | undefined; readonly retry?: Retry | undefined } = {}
): Head => ({
  kind,
  startKey,
  startAt,
  priority,
  seq: 0,
  isInOutbox: false,
  runner: on?.node,
  parent,
  chain: retry?.chain ?? id,
  childEnds: undefined,
  state
})

export const keysOfHead = ({ kind, startKey, state: { key } }: Head): ReadonlyArray<Key> =>
  keysOf({ kind, startKey, key })

export const reschedule = (
  connection: Connection,
  id: JobId,
  { state, to: { priority, startAt } }: Pick<Rescheduled, "state" | "to">
) =>
  execute(connection, "UPDATE charlotte_runs SET priority = ?, start_at = ?, waits_for = ?, due_at = ? WHERE id = ?", [
    priority,
    time(startAt),
    state.waitsFor ?? null,
    time(state.dueAt),
    id
  ])

const encodeError = Schema.encodeSync(RunError)
const encodeParked = Schema.encodeSync(Parked)

export type Change = columns.Row<typeof columns.changes>

export const change = (id: JobId, from: State, to: State): Change => ({
  status: to.status,
  attempt: to.attempt,
  key: to.key ?? null,
  started_at: time(to.startedAt),
  stopping_at: time(to.stoppingAt),
  ended_at: time(to.endedAt),
  waits_for: to.waitsFor ?? null,
  due_at: time(to.dueAt),
  parked: to.parked === undefined ? null : JSON.stringify(encodeParked(to.parked)),
  woken_by: to.wokenBy ?? null,
  sender: senders.text(to.sender),
  crashes: to.crashes,
  tries: to.tries,
  result: to.status === "completed" ? stringify(to.result) : null,
  error: to.error === undefined ? null : stringify(encodeError(to.error)),
  id,
  status_before: from.status,
  attempt_before: from.attempt
})

/** Compare-and-set: updates nothing unless status and attempt are unchanged. */
export const update = (connection: Connection, changes: ReadonlyArray<Change>): Effect.Effect<void, SqlError> =>
  changes.length === 0 ? Effect.void : connection.dialect.updateRuns(connection, changes)
