/**
 * The embedded database: one SQLite file, opened so that what it acknowledges survives.
 *
 * @since 0.1.0
 */
import * as Reactivity from "@effect/experimental/Reactivity"
import * as SqlClient from "@effect/sql/SqlClient"
import * as SqliteClient from "./SqliteClient.js"
import { Effect, Layer, type Scope } from "effect"
import { existsSync } from "node:fs"
import { StoreError } from "../domain/errors.js"
import { driverTimeout, retryWhileBusy } from "./sql/busyRetry.js"
import * as rawQuery from "./sql/rawQuery.js"
import { closeOnFailure } from "./closeOnFailure.js"
import * as IntegrityCheck from "./sql/IntegrityCheck.js"
import { isLockFailure, orStoreError } from "./sql/mapSqlError.js"
import * as FileLock from "./FileLock.js"
import { markConfigured } from "./sql/Durability.js"
import * as Generation from "./sql/Generation.js"

/** @since 0.1.0 */
export interface Options {
  /** A path, or `:memory:`. */
  readonly filename: string
  /**
   * `FULL` (the default) keeps every acknowledged write through a loss of power; `NORMAL` is faster and may lose the last
   * ones, never the consistency.
   */
  readonly synchronous?: "FULL" | "NORMAL"
}

/** Older ones can lose committed writes in WAL mode. */
const oldestSqlite = [3, 51, 3] as const

const operation = "open the database"

/**
 * A `SqlClient` on an SQLite file (created when missing), checked for damage, in WAL mode, with foreign keys on. A file of
 * more than 16 MiB is checked while it is open already, when a `RunStore` is on it.
 *
 * @since 0.1.0
 * @example
 * import { Database, RunStore } from "charlotte"
 * import { Layer } from "effect"
 *
 * const Store = RunStore.layer.pipe(Layer.provide(Database.layer({ filename: ":memory:" })))
 */
export const layer = (options: Options): Layer.Layer<SqlClient.SqlClient, StoreError> =>
  Layer.scoped(SqlClient.SqlClient, open(options)).pipe(Layer.provide(Reactivity.layer))

/**
 * The same file, to be looked at and nothing else, also while another process works on it: it is checked for damage (a large
 * one only when asked to be `thorough`, which takes its time), cannot be written, and is left as it was found. One that a crash
 * has left in the midst of a change (there is a `-journal`) fails as `readonly`, since it would have to be mended first.
 *
 * @since 0.1.0
 */
export const layerUntouched = ({
  filename,
  thorough = false
}: Pick<Options, "filename"> & { readonly thorough?: boolean }): Layer.Layer<SqlClient.SqlClient, StoreError> =>
  Layer.scoped(SqlClient.SqlClient, look(filename, thorough)).pipe(Layer.provide(Reactivity.layer))

const look = (filename: string, thorough: boolean) =>
  retryWhileBusy(
    closeOnFailure(
      Effect.gen(function* () {
        if (!existsSync(filename)) {
          return yield* new StoreError({ operation, reason: "other", cause: new Error(`${filename} is not there`) })
        }
        const { ask, sql } = yield* connect(
          filename,
          ["-wal", "-journal"].some((end) => existsSync(`${filename}${end}`))
        )
        yield* ask("PRAGMA query_only = ON")
        yield* Generation.refuseForeignLog(ask, filename)
        yield* refuseOldSqlite(ask)
        if (thorough || !IntegrityCheck.isLarge(filename)) yield* IntegrityCheck.refuse(ask, filename)
        return sql
      })
    )
  ).pipe(orStoreError(operation), orWithoutLocks(filename))

/** Where the file system has no locks, SQLite says that the database is locked. */
const orWithoutLocks =
  (filename: string) =>
  <A, R>(effect: Effect.Effect<A, StoreError, R>): Effect.Effect<A, StoreError, R> =>
    Effect.tapError(effect, (error) =>
      error.reason === "busy" || isLockFailure(error) ? FileLock.refuseWithoutLocks(filename) : Effect.void
    )

const open = (options: Options): Effect.Effect<SqlClient.SqlClient, StoreError, Scope.Scope | Reactivity.Reactivity> =>
  Effect.flatMap(retryWhileBusy(Effect.scoped(refuseDamagedByCrash(options.filename))), (isLookedThrough) =>
    // Each attempt takes a connection of its own: a client remembers what could not be prepared, and would stay busy for ever.
    retryWhileBusy(
      closeOnFailure(
        Effect.gen(function* () {
          const isNew = options.filename === ":memory:" || !existsSync(options.filename)
          const { ask, sql } = yield* connect(options.filename, false)
          if (!isNew && !isLookedThrough) yield* refuseDamaged(ask, options.filename)
          yield* refuseOldSqlite(ask)
          yield* ask("PRAGMA journal_mode = WAL")
          yield* durability(ask, options.synchronous ?? "FULL")
          markConfigured(yield* Effect.scoped(sql.reserve))
          return sql
        })
      )
    )
  ).pipe(orStoreError(operation), orWithoutLocks(options.filename))

/** The client's own WAL mode is left off: it would be set before the timeout, and wait five seconds in a frozen process. */
const connect = (filename: string, readonly: boolean) =>
  Effect.gen(function* () {
    const sql = yield* SqliteClient.make({ filename, readonly, disableWAL: true })
    const ask = yield* rawQuery.of(sql)
    yield* ask(`PRAGMA busy_timeout = ${driverTimeout}`)
    return { sql, ask }
  })

/**
 * The file is looked through before anything is changed in it, and left as it was found; a large one is so by
 * `RunStore.layer`, once it is open. The connection can write, to clear away what it makes itself, and to roll back a journal of
 * another mode.
 */
const refuseDamaged = (ask: rawQuery.RawQuery, filename: string) =>
  IntegrityCheck.isLarge(filename) ? readsAtAll(ask) : IntegrityCheck.refuse(ask, filename)

/**
 * Where a log of a crash is there, that takes a connection of its own, which cannot write: it would carry the log over into the
 * file when it is closed. Tells whether that was so.
 */
const refuseDamagedByCrash = (filename: string) =>
  existsSync(filename) && existsSync(`${filename}-wal`)
    ? Effect.flatMap(connect(filename, true), ({ ask }) =>
        Effect.as(Effect.zipRight(Generation.refuseForeignLog(ask, filename), refuseDamaged(ask, filename)), true)
      )
    : Effect.succeed(false)

/** A file that is no database, or shorter than it says itself, is refused at once however large it is. */
const readsAtAll = (ask: rawQuery.RawQuery) => ask("SELECT count(*) FROM sqlite_master")

const refuseOldSqlite = (ask: rawQuery.RawQuery) =>
  Effect.flatMap(ask<{ version: string }>("SELECT sqlite_version() AS version"), (rows) => {
    const version = rows[0]?.version ?? "0"
    const parts = version.split(".").map(Number)
    const at = oldestSqlite.findIndex((part, i) => part !== parts[i])
    return at === -1 || (parts[at] ?? 0) > (oldestSqlite[at] ?? 0)
      ? Effect.void
      : new StoreError({
          operation,
          reason: "version",
          cause: new Error(
            `SQLite ${version} is older than ${oldestSqlite.join(".")}; install better-sqlite3 13.2 or newer`
          )
        })
  })

/** In WAL mode the driver falls back to `NORMAL` at the first write, so the setting is read again after one. */
const durability = (ask: rawQuery.RawQuery, synchronous: "FULL" | "NORMAL") =>
  Effect.gen(function* () {
    yield* ask(`PRAGMA synchronous = ${synchronous}`)
    yield* ask("PRAGMA foreign_keys = ON")
    const [version] = yield* ask<{ user_version: number }>("PRAGMA user_version")
    yield* ask(`PRAGMA user_version = ${version?.user_version ?? 0}`)
    const [set] = yield* ask<{ synchronous: number }>("PRAGMA synchronous")
    if (set?.synchronous !== (synchronous === "FULL" ? 2 : 1)) {
      const cause = new Error(`synchronous is ${set?.synchronous} after a write, not ${synchronous}`)
      return yield* new StoreError({ operation, reason: "other", cause })
    }
  })
