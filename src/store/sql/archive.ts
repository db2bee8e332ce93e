/**
 * Statements that read and write whole tables. Owners and nodes are left out, since they belong to running processes. Triggers and the
 * indexer rebuild the other tables.
 */
import type { SqlError } from "@effect/sql/SqlError"
import { Effect, Schema } from "effect"
import type { Connection } from "./Dialect.js"
import { execute, query, type Value } from "./statements.js"

export const Table = Schema.Literal(
  "charlotte_runs",
  "charlotte_events",
  "charlotte_attempts",
  "charlotte_units",
  "charlotte_tasks",
  "charlotte_signals",
  "charlotte_attached_keys",
  "charlotte_agent_limits",
  "charlotte_turn_streaks",
  "charlotte_latest"
)
export type Table = typeof Table.Type

/** The tables, ordered so that each refers only to tables before it. */
export const tables = Table.literals

const keys: { readonly [name in Table]: ReadonlyArray<string> } = {
  charlotte_runs: ["id"],
  charlotte_events: ["cursor"],
  charlotte_attempts: ["cookie"],
  charlotte_units: ["job_id", "unit"],
  charlotte_tasks: ["job_id", "unit", "task"],
  charlotte_signals: ["job_id", "seq"],
  charlotte_attached_keys: ["kind", "idempotency_key"],
  charlotte_agent_limits: ["agent"],
  charlotte_turn_streaks: ["job_id", "agent", "unit", "task"],
  charlotte_latest: ["one"]
}

/** A row: its values by column. */
export const Row = Schema.Record({ key: Schema.String, value: Schema.Union(Schema.String, Schema.Number, Schema.Null) })
export type Row = typeof Row.Type

export const pageSize = 500

const selectRows = query(Row)

/** The next rows after a row, in key order. */
export const page = (connection: Connection, table: Table, after: Row | undefined) => {
  const key = keys[table]
  const values = after === undefined ? [] : key.map((column): Value => after[column] ?? null)
  const where = after === undefined ? "" : `WHERE (${key.join(", ")}) > (${key.map(() => "?").join(", ")})`
  return selectRows(connection, `SELECT * FROM ${table} ${where} ORDER BY ${key.join(", ")} LIMIT ${pageSize}`, values)
}

const selectCursor = query(Schema.Struct({ cursor: Schema.Number }))

export const latestCursor = (connection: Connection): Effect.Effect<number, SqlError> =>
  Effect.map(selectCursor(connection, connection.dialect.latestCursor, []), ([row]) => row?.cursor ?? 0)

/** Replaces characters that a text of PostgreSQL cannot hold. */
const storable = (row: Row): Row =>
  Object.fromEntries(
    Object.entries(row).map(([column, value]) => [
      column,
      typeof value === "string" && /[\0\p{Surrogate}]/u.test(value)
        ? Buffer.from(value.replaceAll("\0", "\uFFFD")).toString()
        : value
    ])
  )

/** Inserts rows; on PostgreSQL only. */
export const insert = (connection: Connection, table: Table, rows: ReadonlyArray<Row>): Effect.Effect<void, SqlError> =>
  execute(
    connection,
    `INSERT INTO ${table} SELECT * FROM json_populate_recordset(CAST(NULL AS ${table}), CAST(? AS json))`,
    [JSON.stringify(rows.map(storable))]
  )

const selectUsed = query(Schema.Struct({ used: Schema.Boolean }))

/** On PostgreSQL only; it keeps others from writing until the end of the transaction. */
export const isEmpty = (connection: Connection): Effect.Effect<boolean, SqlError> => {
  const all = [...tables, "charlotte_owners", "charlotte_nodes"]
  return Effect.zipRight(
    execute(connection, `LOCK TABLE ${all.join(", ")}, charlotte_log IN EXCLUSIVE MODE`),
    Effect.map(
      selectUsed(
        connection,
        `SELECT ${all.map((name) => `EXISTS (SELECT 1 FROM ${name})`).join(" OR ")}
           OR EXISTS (SELECT 1 FROM charlotte_log WHERE cursor > 0) AS used`,
        []
      ),
      ([row]) => row?.used === false
    )
  )
}

/** Sets the last drawn cursor; the next event gets the next number. */
export const setCursor = (connection: Connection, cursor: number) =>
  execute(connection, "UPDATE charlotte_log SET cursor = ?", [cursor])
