/**
 * The columns of the rows that are inserted in bulk, in the order of their values.
 */

/** A column, and its type in PostgreSQL. */
export type Column = readonly [name: string, type: "text" | "integer" | "bigint"]

export const runs = [
  ["id", "text"],
  ["kind", "text"],
  ["status", "text"],
  ["attempt", "integer"],
  ["key", "text"],
  ["start_key", "text"],
  ["config", "text"],
  ["labels", "text"],
  ["submission", "text"],
  ["searched", "text"],
  ["idempotency_key", "text"],
  ["request", "text"],
  ["priority", "integer"],
  ["created_at", "bigint"],
  ["start_at", "bigint"],
  ["started_at", "bigint"],
  ["waits_for", "text"],
  ["due_at", "bigint"],
  ["replaces", "integer"],
  ["outbox", "integer"],
  ["trace", "text"],
  ["node", "text"],
  ["runner", "text"]
] as const satisfies ReadonlyArray<Column>

export const events = [
  ["job_id", "text"],
  ["seq", "bigint"],
  ["at", "bigint"],
  ["type", "text"],
  ["unit", "text"],
  ["task", "integer"],
  ["payload", "text"]
] as const satisfies ReadonlyArray<Column>

export const names = (columns: ReadonlyArray<Column>): string => columns.map(([name]) => name).join(", ")
