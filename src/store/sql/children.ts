/**
 * Statements on `charlotte_children`, and on the columns of runs that concern children.
 */
import type { SqlError } from "@effect/sql/SqlError"
import { Effect, Schema } from "effect"
import { JobId } from "../../domain/JobId.js"
import { OnParentStop, RecordedChild } from "../../domain/RecordedChild.js"
import { RunStatus } from "../../domain/RunStatus.js"
import type { ChildStore, KeptChild, NewChild, RecalledChildren } from "../port/RunStoreService.js"
import type { Connection } from "./Dialect.js"
import { execute, nullable, query, upsert } from "./statements.js"

const Kept = Schema.Struct({
  name: Schema.String,
  child_id: JobId,
  kind: Schema.String,
  run_id: JobId,
  tries: Schema.Number,
  status: nullable(RunStatus)
})

const keptColumns = "c.name, c.child_id, c.kind, c.run_id, c.tries, r.status"

const withRuns = "charlotte_children c LEFT JOIN charlotte_runs r ON r.id = c.child_id AND r.pruned = 0"

const selectKept = query(Kept)

const keptOf = ({ child_id, kind, name, run_id, status, tries }: typeof Kept.Type): KeptChild => ({
  id: child_id,
  name,
  kind,
  tries,
  askedBy: run_id,
  status: status ?? undefined
})

export const find = (
  connection: Connection,
  { chain, name }: Pick<NewChild, "chain" | "name">
): Effect.Effect<KeptChild | undefined, SqlError> =>
  Effect.map(
    selectKept(connection, `SELECT ${keptColumns} FROM ${withRuns} WHERE c.job_id = ? AND c.name = ?`, [chain, name]),
    ([row]) => row && keptOf(row)
  )

const selectRecalled = query(Schema.Struct({ ...Kept.fields, ends: nullable(Schema.Number) }))

/** One statement, since the ends have to be as old as the statuses. */
export const recall = (
  connection: Connection,
  { chain, jobId }: Parameters<ChildStore["recall"]>[0]
): Effect.Effect<RecalledChildren, SqlError> =>
  Effect.map(
    selectRecalled(
      connection,
      `SELECT ${keptColumns}, (SELECT child_ends FROM charlotte_runs WHERE id = ?) AS ends
       FROM ${withRuns} WHERE c.job_id = ?`,
      [jobId, chain]
    ),
    (rows) => ({ children: rows.map(keptOf), ends: rows[0]?.ends ?? 0 })
  )

const selectListed = query(
  Schema.Struct({
    name: Schema.String,
    child_id: JobId,
    kind: Schema.String,
    status: nullable(RunStatus),
    on_stop: OnParentStop
  })
)

export const list = (connection: Connection, { before, chain, limit }: Parameters<ChildStore["list"]>[0]) =>
  Effect.map(
    selectListed(
      connection,
      `SELECT c.name, c.child_id, c.kind, r.status, c.on_stop FROM ${withRuns}
       WHERE c.job_id = ?${before === undefined ? "" : " AND c.child_id < ?"} ORDER BY c.child_id DESC LIMIT ?`,
      [chain, ...(before === undefined ? [] : [before]), limit]
    ),
    (rows) =>
      rows.map(
        ({ child_id, kind, name, on_stop, status }) =>
          new RecordedChild(
            { name, jobId: child_id, kind, onParentStop: on_stop, ...(status === null ? {} : { status }) },
            { disableValidation: true }
          )
      )
  )

/** Records the child of a name, in place of the one before. */
export const put = (
  connection: Connection,
  { chain, jobId, name, onParentStop, tries }: NewChild,
  child: { readonly id: JobId; readonly kind: string }
) =>
  upsert(connection, "charlotte_children", {
    job_id: chain,
    name,
    child_id: child.id,
    kind: child.kind,
    run_id: jobId,
    tries,
    on_stop: onParentStop
  })

const selectStatus = query(Schema.Struct({ status: RunStatus }))

/** Makes a run the parent of a child, and returns the status of the child after that: from here on its end counts for the parent. */
export const adopt = (connection: Connection, child: JobId, parent: JobId) =>
  Effect.map(
    selectStatus(connection, "UPDATE charlotte_runs SET parent = ? WHERE id = ? RETURNING status", [parent, child]),
    ([row]) => row?.status
  )

/** Marks a run as one that has children. */
export const expect = (connection: Connection, parent: JobId) =>
  execute(connection, "UPDATE charlotte_runs SET child_ends = 0 WHERE id = ? AND child_ends IS NULL", [parent])

/** Counts the end of a child. On PostgreSQL it locks the parent, so that a park sees the count, or is seen. */
export const countEnd = (connection: Connection, parent: JobId) =>
  execute(connection, "UPDATE charlotte_runs SET child_ends = coalesce(child_ends, 0) + 1 WHERE id = ?", [parent])

const selectIds = query(Schema.Struct({ child_id: JobId }))

/** The children that are not over, and that a stop of their parent stops. */
export const toStop = (connection: Connection, chain: JobId) =>
  Effect.map(
    selectIds(
      connection,
      `SELECT c.child_id FROM charlotte_children c JOIN charlotte_runs r ON r.id = c.child_id
       WHERE c.job_id = ? AND c.on_stop = 'stop' AND r.ended_at IS NULL
         AND NOT EXISTS (SELECT 1 FROM charlotte_requests q WHERE q.job_id = r.id AND q.type = 'stop')
       ORDER BY c.child_id`,
      [chain]
    ),
    (rows) => rows.map(({ child_id }) => child_id)
  )
