/**
 * Checks whether a WAL belongs to the database file beside it. SQLite does not check: if the file was replaced after a crash, it
 * applies the old WAL to the new file. So the first transaction after a complete checkpoint records a new generation, and as
 * its base the generation in the file; a file without that base is not the file for which the WAL was written.
 */
import type { Connection } from "@effect/sql/SqlConnection"
import type { SqlError } from "@effect/sql/SqlError"
import { Effect, Option, Schema } from "effect"
import { statSync } from "node:fs"
import { StoreError } from "../../domain/errors.js"
import { isMissingInFile } from "./isMissingInFile.js"
import type { RawQuery } from "../sql/rawQuery.js"
import { execute as executeOn, query } from "../sql/statements.js"

const selectCurrent = query(Schema.Struct({ generation: Schema.String }))

export const current = (connection: Connection): Effect.Effect<string | undefined, SqlError> =>
  Effect.map(selectCurrent(connection, "SELECT generation FROM charlotte_generation", []), ([row]) => row?.generation)

const Row = Schema.Struct({ base: Schema.NullOr(Schema.String) })

const selectBase = query(Row)

/** Whether the generation that the WAL extends is in the file. */
export const isBaseInFile = (connection: Connection, filename: string): Effect.Effect<boolean, SqlError> =>
  Effect.gen(function* () {
    const [row] = yield* selectBase(connection, "SELECT base FROM charlotte_generation", [])
    return row !== undefined && row.base !== null && !(yield* isMissingInFile(filename, row.base))
  })

/**
 * Records a new generation in a write transaction. Its base is a generation that is in the file; nothing is recorded if another process
 * has recorded a generation since, which may be in the WAL only.
 */
export const advance = (connection: Connection, base: string): Effect.Effect<void, SqlError> =>
  executeOn(
    connection,
    "UPDATE charlotte_generation SET base = generation, generation = lower(hex(randomblob(16))) WHERE generation = ?",
    [base]
  )

const foreign = (filename: string) =>
  new StoreError({
    operation: "open the database",
    reason: "replaced",
    cause: new Error(
      `${filename}-wal does not belong to ${filename}, which was replaced; move away ${filename}-wal and ${filename}-shm to open the file as it is, or restore the database that they belong to`
    )
  })

export const hasLog = (filename: string): boolean =>
  (statSync(`${filename}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0

/**
 * Fails when the WAL belongs to another file. The connection must be read-only, since closing a writable one would checkpoint
 * the WAL. Other processes that use the database may record new generations meanwhile, so it fails once it has found the same base
 * missing twice.
 */
export const refuseForeignLog = (
  execute: RawQuery,
  filename: string,
  missing?: string
): Effect.Effect<void, StoreError | SqlError> =>
  Effect.gen(function* () {
    if (!hasLog(filename)) return
    const [table] = yield* execute("SELECT name FROM sqlite_master WHERE name = 'charlotte_generation'")
    if (table === undefined) return
    const [row] = yield* execute("SELECT base FROM charlotte_generation")
    const base = Option.flatMapNullable(Schema.decodeUnknownOption(Row)(row), (row) => row.base)
    if (Option.isNone(base) || !(yield* isMissingInFile(filename, base.value))) return
    return yield* base.value === missing ? foreign(filename) : refuseForeignLog(execute, filename, base.value)
  })
