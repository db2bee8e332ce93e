/**
 * Adapts a connection of the `@effect/sql-pg` client to the statements that SQLite and PostgreSQL share.
 */
import type * as SqlConnection from "@effect/sql/SqlConnection"
import { Effect, Fiber, Predicate, RuntimeFlags } from "effect"
import type { Connection, Dialect } from "../sql/Dialect.js"

/** The type of 8-byte integers, which the driver returns as strings, or as the application has configured. */
const int8 = 20

const numbered = new Map<string, string>()

/** Numbers the parameters: `$1`, `$2` … replace each `?` outside of quotes. */
export const numberParameters = (sql: string): string => {
  const known = numbered.get(sql)
  if (known !== undefined) return known
  let count = 0
  const text = sql.replaceAll(/'[^']*'|\?/g, (part) => (part === "?" ? `$${(count += 1)}` : part))
  // Statements are combined from a few parts, so this limit is never reached; it bounds the memory all the same.
  if (numbered.size >= 4_096) numbered.clear()
  numbered.set(sql, text)
  return text
}

const wideColumns = (fields: unknown): ReadonlyArray<string> =>
  Array.isArray(fields)
    ? fields.flatMap((field: unknown) =>
        Predicate.hasProperty(field, "dataTypeID") &&
        field.dataTypeID === int8 &&
        Predicate.hasProperty(field, "name") &&
        typeof field.name === "string"
          ? [field.name]
          : []
      )
    : []

const toNumber = (value: unknown): unknown =>
  typeof value === "string" || typeof value === "bigint" ? Number(value) : value

/** The rows of a driver's result, with numbers for all integers. */
export const rowsOf = (result: unknown): ReadonlyArray<unknown> => {
  if (!Predicate.hasProperty(result, "rows") || !Array.isArray(result.rows)) return []
  const rows: ReadonlyArray<unknown> = result.rows
  const wide = wideColumns(Predicate.hasProperty(result, "fields") ? result.fields : undefined)
  return wide.length === 0
    ? rows
    : rows.map((row) => {
        if (!Predicate.isRecord(row)) return row
        const read = { ...row }
        for (const column of wide) read[column] = toNumber(read[column])
        return read
      })
}

/** Replaces NUL, which TEXT cannot hold. */
const storable = (value: unknown): unknown =>
  typeof value === "string" && value.includes("\0")
    ? value.replaceAll("\0", "\uFFFD")
    : Array.isArray(value)
      ? value.map(storable)
      : value

type Execute = SqlConnection.Connection["executeRaw"]

/** Wraps a connection; `execute` replaces how it executes a statement. */
export const wrap = (
  raw: SqlConnection.Connection,
  dialect: Dialect,
  execute: Execute = (sql, params) => raw.executeRaw(sql, params)
): Connection => {
  const run: SqlConnection.Connection["execute"] = (sql, params) =>
    Effect.map(execute(numberParameters(sql), params.map(storable)), rowsOf)
  return {
    dialect,
    execute: run,
    executeUnprepared: run,
    executeRaw: execute,
    executeStream: (sql, params, transformRows) => raw.executeStream(sql, params, transformRows),
    executeValues: (sql, params) => raw.executeValues(sql, params)
  }
}

/**
 * Executes statements that can be abandoned: an interruption closes their connection. The client would use another connection to
 * cancel the statement: if none is free, that takes five seconds, and then cancels the statement of another caller.
 */
export const abandonable =
  (raw: SqlConnection.Connection): Execute =>
  (sql, params) =>
    Effect.withFiberRuntime((_, { runtimeFlags }) => {
      const statement = raw.executeRaw(sql, params)
      if (!RuntimeFlags.interruptible(runtimeFlags)) return statement
      return Effect.uninterruptibleMask((restore) =>
        Effect.flatMap(Effect.forkDaemon(statement), (fiber) =>
          Effect.onInterrupt(restore(Fiber.join(fiber)), () => {
            if (fiber.unsafePoll() === null) destroy(raw)
            return Fiber.await(fiber)
          })
        )
      )
    })

/** Closes the socket below a connection, which fails the statement that waits for a response. */
export const destroy = (raw: SqlConnection.Connection): void => {
  const socket = ["pg", "connection", "stream"].reduce<unknown>(
    (value, name) => (Predicate.hasProperty(value, name) ? value[name] : undefined),
    raw
  )
  if (Predicate.hasProperty(socket, "destroy") && typeof socket.destroy === "function") socket.destroy()
}
