/**
 * Statements that read and write whole tables.
 */
import type { SqlError } from "@effect/sql/SqlError"
import { Effect, Schema } from "effect"
import type { Connection } from "./Dialect.js"
import { execute, query, type Value } from "./statements.js"
import { keyOf, namesWhere } from "./tables.js"

/** The tables of an archive. */
export const tables = namesWhere(({ holds }) => holds === "records")

export const Table = Schema.Literal(...tables)
export type Table = typeof Table.Type

/** A row: its values by column. */
export const Row = Schema.Record({ key: Schema.String, value: Schema.Union(Schema.String, Schema.Number, Schema.Null) })
export type Row = typeof Row.Type

export const pageSize = 500

const selectRows = query(Row)

/** The next rows after a row, in key order. */
export const page = (connection: Connection, table: Table, after: Row | undefined) => {
  const key = keyOf(table)
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
  const all = namesWhere(({ holds }) => holds !== "derived")
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

/** Sets the last drawn cursor; the next event gets the next number, and so does the next request. */
export const setCursor = (connection: Connection, cursor: number) =>
  Effect.zipRight(
    execute(connection, "UPDATE charlotte_log SET cursor = ?", [cursor]),
    execute(
      connection,
      `SELECT setval(pg_get_serial_sequence('charlotte_requests', 'seq'), max(seq)) FROM charlotte_requests HAVING max(seq) > 0`
    )
  )
