/**
 * Runs statements and decodes their rows.
 */
import type { Connection } from "@effect/sql/SqlConnection"
import { SqlError } from "@effect/sql/SqlError"
import { Effect, Schema } from "effect"
import { keyOf, type TableName } from "./tables.js"

export type Value = string | number | null

/** A column that may be NULL. Most are, so it is tried first: a value that another member does not match costs more than the whole row. */
export const nullable = <A, I, R>(column: Schema.Schema<A, I, R>) => Schema.Union(Schema.Null, column)

/** Decodes rows. An undecodable row fails like a damaged database. */
export const decodeRows = <A, I>(row: Schema.Schema<A, I>) => {
  const decode = Schema.decodeUnknown(Schema.Array(row))
  return (rows: ReadonlyArray<unknown>): Effect.Effect<ReadonlyArray<A>, SqlError> =>
    Effect.mapError(decode(rows), (cause) => new SqlError({ cause, message: "a row cannot be decoded" }))
}

/** Creates a function that runs a statement and decodes its rows. */
export const query = <A, I>(row: Schema.Schema<A, I>) => {
  const decode = decodeRows(row)
  return (
    connection: Connection,
    sql: string,
    params: ReadonlyArray<Value>
  ): Effect.Effect<ReadonlyArray<A>, SqlError> => Effect.flatMap(connection.execute(sql, params, undefined), decode)
}

/** Like `query`, but for a statement that returns one row: without it, the database is damaged. */
export const queryOne = <A, I>(row: Schema.Schema<A, I>) => {
  const decode = Schema.decodeUnknown(Schema.Tuple(row))
  return (
    connection: Connection,
    sql: string,
    params: ReadonlyArray<Value | ReadonlyArray<Value>>
  ): Effect.Effect<A, SqlError> =>
    Effect.flatMap(connection.execute(sql, params, undefined), (rows) =>
      Effect.mapBoth(decode(rows), {
        onFailure: (cause) => new SqlError({ cause, message: "a row is missing or cannot be decoded" }),
        onSuccess: ([row]) => row
      })
    )
}

/** Runs a statement that returns no rows. */
export const execute = (
  connection: Connection,
  sql: string,
  params: ReadonlyArray<Value> = []
): Effect.Effect<void, SqlError> => Effect.asVoid(connection.execute(sql, params, undefined))

/** Rows per statement, so that a few prepared statements serve any number of rows. */
const chunks = [64, 32, 16, 8, 4, 2, 1]

/** Values by column; a missing one is NULL. */
export interface Values {
  readonly [column: string]: Value | undefined
}

/** The values of a row, in the order of the columns. */
export const valuesOf = (columns: ReadonlyArray<string>, row: Values): ReadonlyArray<Value> =>
  columns.map((column) => row[column] ?? null)

/** The columns that a row is decoded from, to select, of a table with that alias. */
export const columnsOf = ({ fields }: { readonly fields: object }, alias?: string): string =>
  Object.keys(fields)
    .map((column) => (alias === undefined ? column : `${alias}.${column}`))
    .join(", ")

const insertion = (table: string, columns: ReadonlyArray<string>, rows: string) =>
  `INSERT INTO ${table} (${columns.join(", ")}) VALUES ${rows}`

const placeholders = (columns: ReadonlyArray<string>): string => `(${columns.map(() => "?").join(", ")})`

/** Creates a function that inserts rows, with the SQL texts built once. */
export const inserter = (table: string, columns: ReadonlyArray<string>, row = placeholders(columns)) => {
  const statements = chunks.map((size) => ({
    size,
    sql: insertion(table, columns, Array.from({ length: size }, () => row).join(", "))
  }))
  const from = (connection: Connection, rows: ReadonlyArray<Values>, begin: number): Effect.Effect<void, SqlError> => {
    const statement = statements.find(({ size }) => size <= rows.length - begin)
    if (statement === undefined) return Effect.void
    const end = begin + statement.size
    const values = rows.slice(begin, end).flatMap((row) => valuesOf(columns, row))
    return Effect.flatMap(connection.execute(statement.sql, values, undefined), () => from(connection, rows, end))
  }
  return (connection: Connection, rows: ReadonlyArray<Values>): Effect.Effect<void, SqlError> =>
    from(connection, rows, 0)
}

/** Inserts a row. */
export const insert = (connection: Connection, table: TableName, row: Values): Effect.Effect<void, SqlError> => {
  const columns = Object.keys(row)
  return execute(connection, insertion(table, columns, placeholders(columns)), valuesOf(columns, row))
}

/** Inserts a row, or replaces the values of the row with the same key. */
export const upsert = (connection: Connection, table: TableName, row: Values): Effect.Effect<void, SqlError> => {
  const columns = Object.keys(row)
  const key = keyOf(table)
  const replaced = columns.filter((column) => !key.includes(column)).map((column) => `${column} = excluded.${column}`)
  return execute(
    connection,
    `${insertion(table, columns, placeholders(columns))} ON CONFLICT (${key.join(", ")}) DO UPDATE SET ${replaced.join(", ")}`,
    valuesOf(columns, row)
  )
}

/** A JSON column, wrapped, since a decoded `null` would look like a missing value. */
export const JsonText = Schema.transform(Schema.parseJson(), Schema.Struct({ json: Schema.Unknown }), {
  strict: true,
  decode: (json) => ({ json }),
  encode: ({ json }) => json
})
