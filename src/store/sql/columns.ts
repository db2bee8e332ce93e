/**
 * The columns of the rows that are written in bulk, with their types in PostgreSQL. Statements name the columns, and pass the values, in
 * the order of these lists.
 */
import type { Value } from "./statements.js"

export interface Columns {
  readonly [column: string]: "text" | "integer" | "bigint"
}

/** A row: its values by column. */
export type Row<C extends Columns> = { readonly [column in keyof C]: Value }

export const runs = {
  id: "text",
  kind: "text",
  status: "text",
  attempt: "integer",
  key: "text",
  start_key: "text",
  config: "text",
  labels: "text",
  grp: "text",
  submission: "text",
  searched: "text",
  idempotency_key: "text",
  request: "text",
  priority: "integer",
  created_at: "bigint",
  start_at: "bigint",
  started_at: "bigint",
  waits_for: "text",
  due_at: "bigint",
  sender: "text",
  replaces: "integer",
  outbox: "integer",
  retry_of: "text",
  chain: "text",
  parent: "text",
  trace: "text",
  node: "text",
  runner: "text"
} as const satisfies Columns

/** The columns of a run that a change of its state writes. */
export const state = {
  status: "text",
  attempt: "integer",
  key: "text",
  started_at: "bigint",
  stopping_at: "bigint",
  ended_at: "bigint",
  waits_for: "text",
  due_at: "bigint",
  parked: "text",
  woken_by: "text",
  sender: "text",
  crashes: "integer",
  tries: "integer",
  result: "text",
  error: "text"
} as const satisfies Columns

/** A change of state: the new state, the run, and the status and the attempt that the run must still have. */
export const changes = {
  ...state,
  id: "text",
  status_before: "text",
  attempt_before: "integer"
} as const satisfies Columns

export const events = {
  job_id: "text",
  seq: "bigint",
  at: "bigint",
  type: "text",
  unit: "text",
  task: "integer",
  payload: "text"
} as const satisfies Columns
