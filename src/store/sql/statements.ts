/**
 * Runs statements and decodes their rows.
 */
import type { Connection } from "@effect/sql/SqlConnection"
import { SqlError } from "@effect/sql/SqlError"
import { Effect, Schema } from "effect"

export type Value = string | number | null

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

const placeholders = (columns: number): string => `(${Array.from({ length: columns }, () => "?").join(", ")})`

/** Creates an insert function for `table (column, …)`, with the SQL texts built once. */
export const inserter = (into: string, columns: number, row = placeholders(columns)) =>
  inChunks(row, (rows) => `INSERT INTO ${into} VALUES ${rows}`)

/** Creates a function that runs a statement on rows of values, with the SQL texts built once. */
export const inChunks = (row: string, statement: (rows: string) => string) => {
  const statements = chunks.map((size) => ({
    size,
    sql: statement(Array.from({ length: size }, () => row).join(", "))
  }))
  const from = (
    connection: Connection,
    rows: ReadonlyArray<ReadonlyArray<Value>>,
    begin: number
  ): Effect.Effect<void, SqlError> => {
    const statement = statements.find(({ size }) => size <= rows.length - begin)
    if (statement === undefined) return Effect.void
    const end = begin + statement.size
    const values = statement.size === 1 ? (rows[begin] ?? []) : rows.slice(begin, end).flat()
    return Effect.flatMap(connection.execute(statement.sql, values, undefined), () => from(connection, rows, end))
  }
  return (connection: Connection, rows: ReadonlyArray<ReadonlyArray<Value>>): Effect.Effect<void, SqlError> =>
    from(connection, rows, 0)
}

/** A JSON column, wrapped, since a decoded `null` would look like a missing value. */
export const JsonText = Schema.transform(Schema.parseJson(), Schema.Struct({ json: Schema.Unknown }), {
  strict: true,
  decode: (json) => ({ json }),
  encode: ({ json }) => json
})
