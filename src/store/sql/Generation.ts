/**
 * Whether a log belongs to the database file beside it. SQLite does not ask: where a file was replaced after a crash, it applies
 * the log of the one before. So the first transaction after all of a log is in the file names a new generation, and its base: the
 * generation that is in the file. A file without that base is not the one that the log was written for.
 */
import type { Connection } from "@effect/sql/SqlConnection"
import type { SqlError } from "@effect/sql/SqlError"
import { Effect, Option, Schema } from "effect"
import { statSync } from "node:fs"
import { StoreError } from "../../domain/errors.js"
import { isMissingInFile } from "./isMissingInFile.js"
import type { RawQuery } from "./rawQuery.js"
import { execute } from "./Session.js"

/** In a transaction that writes, while all of the log is in the file. */
export const advance = (connection: Connection): Effect.Effect<void, SqlError> =>
  execute(connection, "UPDATE charlotte_generation SET base = generation, generation = lower(hex(randomblob(16)))")

const Row = Schema.Struct({ base: Schema.NullOr(Schema.String) })

const foreign = (filename: string) =>
  new StoreError({
    operation: "open the database",
    reason: "replaced",
    cause: new Error(
      `${filename}-wal was not written for ${filename}, which was replaced since; move ${filename}-wal and ${filename}-shm away to open it as it is, or put the database back that they belong to`
    )
  })

const hasLog = (filename: string): boolean => (statSync(`${filename}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0

/** Fails when the log was written for another file. The connection can only read, or it would apply the log when it closes. */
export const refuseForeignLog = (ask: RawQuery, filename: string): Effect.Effect<void, StoreError | SqlError> =>
  Effect.gen(function* () {
    if (!hasLog(filename)) return
    const [table] = yield* ask("SELECT name FROM sqlite_master WHERE name = 'charlotte_generation'")
    if (table === undefined) return
    const [row] = yield* ask("SELECT base FROM charlotte_generation")
    const base = Option.flatMapNullable(Schema.decodeUnknownOption(Row)(row), (row) => row.base)
    if (Option.isSome(base) && (yield* isMissingInFile(filename, base.value))) return yield* foreign(filename)
  })
