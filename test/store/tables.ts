/**
 * Direct writes to the tables.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import { Database, type RunStatus, RunStore } from "charlotte"
import { Effect, Layer } from "effect"
import { id } from "./runs.js"

export const layer = RunStore.layer.pipe(Layer.provideMerge(Database.layer({ filename: ":memory:" })))

export type Row = Readonly<Record<string, string | number | null>>

export const insert = (table: string, row: Row) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) => sql`INSERT INTO ${sql(table)} ${sql.insert(row)}`)

export const update = (table: string, row: Row) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) => sql`UPDATE ${sql(table)} SET ${sql.update(row)}`)

/** The other columns that a status requires. */
export const columns: { readonly [Status in RunStatus.RunStatus]: Row } = {
  pending: { started_at: null, ended_at: null, result: null, error: null, waits_for: "permit", parked: null },
  running: { started_at: 1, ended_at: null, result: null, error: null, waits_for: null, parked: null },
  interrupted: { started_at: 1, ended_at: null, result: null, error: null, waits_for: "permit", parked: null },
  parked: { started_at: 1, ended_at: null, result: null, error: null, waits_for: "signal", parked: "{}" },
  completed: { started_at: 1, ended_at: 2, result: "1", error: null, waits_for: null, parked: null },
  failed: { started_at: 1, ended_at: 2, result: null, error: "{}", waits_for: null, parked: null },
  cancelled: { started_at: 1, ended_at: 2, result: null, error: null, waits_for: null, parked: null }
}

export const run = (status: RunStatus.RunStatus, with_: Row = {}): Row => ({
  id: id(1),
  kind: "tasks",
  status,
  attempt: 1,
  config: "{}",
  labels: "{}",
  created_at: 0,
  ...columns[status],
  ...with_
})

/** The error message of a refused statement. */
export const refusal = <A, R>(statement: Effect.Effect<A, { readonly cause?: unknown }, R>) =>
  Effect.map(Effect.flip(statement), ({ cause }) => (cause instanceof Error ? cause.message : String(cause)))
