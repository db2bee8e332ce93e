/**
 * The embedded database: one SQLite file, configured so that acknowledged writes survive a crash.
 *
 * @since 0.1.0
 */
import * as Reactivity from "@effect/experimental/Reactivity"
import * as SqlClient from "@effect/sql/SqlClient"
import * as SqliteClient from "./sqlite/SqliteClient.js"
import { Effect, Layer, Redacted, type Scope } from "effect"
import { existsSync } from "node:fs"
import { StoreError } from "../domain/errors.js"
import * as Driver from "./sqlite/Driver.js"
import { driverTimeout, retryWhileBusy } from "./sql/busyRetry.js"
import * as rawQuery from "./sql/rawQuery.js"
import { closeOnFailure } from "../internal/closeOnFailure.js"
import * as IntegrityCheck from "./sqlite/IntegrityCheck.js"
import { reserve } from "./sql/reserve.js"
import { isLockFailure, orStoreError, storeError } from "./sql/mapSqlError.js"
import * as FileLock from "./sqlite/FileLock.js"
import * as Migrations from "./sqlite/Migrations.js"
import * as PasswordFile from "./postgres/passwordFile.js"
import { markConfigured } from "./sqlite/Durability.js"
import * as Generation from "./sqlite/Generation.js"

/**
 * Options of `Database.layer`.
 *
 * @since 0.1.0
 * @category options
 */
export interface Options {
  /** A path, or `:memory:`. */
  readonly filename: string
  /**
   * `FULL` (the default) keeps every acknowledged write through a power loss; `NORMAL` is faster and may lose the most recent
   * writes, but never corrupts the database.
   */
  readonly synchronous?: "FULL" | "NORMAL"
}

/** Older versions can lose committed writes in WAL mode. */
const oldestSqlite = [3, 51, 3] as const

const operation = "open the database"

/**
 * A `SqlClient` on an SQLite file (created when missing), in WAL mode with foreign keys on, after an integrity check. The
 * check of a file larger than 16 MiB runs in the background once a `RunStore` is opened on it.
 *
 * @since 0.1.0
 * @category layers
 * @example
 * import { Database, RunStore } from "charlotte"
 * import { Layer } from "effect"
 *
 * const Store = RunStore.layer.pipe(Layer.provide(Database.layer({ filename: ":memory:" })))
 */
export const layer = (options: Options): Layer.Layer<SqlClient.SqlClient, StoreError> =>
  Layer.scoped(SqlClient.SqlClient, open(options)).pipe(Layer.provide(Reactivity.layer))

/**
 * The same file, opened read-only and left unchanged, even while another process writes to it. It is checked for damage (a
 * file larger than 16 MiB only with `thorough`, which is slow). A hot rollback journal (`-journal`), left by a crash in the
 * middle of a transaction, fails as `readonly`, since only a writer can roll it back.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerUntouched = ({
  filename,
  thorough = false
}: Pick<Options, "filename"> & { readonly thorough?: boolean }): Layer.Layer<SqlClient.SqlClient, StoreError> =>
  Layer.scoped(SqlClient.SqlClient, openUntouched(filename, thorough)).pipe(Layer.provide(Reactivity.layer))

/**
 * Options of `Database.layerPostgres`.
 *
 * @since 0.2.0
 * @category options
 */
export interface PostgresOptions {
  /** The URL of the database, such as `postgres://user@host:5432/database`. Prefer `PGPASSWORD` or `PGPASSFILE` for a password. */
  readonly url: string | Redacted.Redacted
  /** Connections of the pool; 10 by default. A store opens two or three more. */
  readonly maxConnections?: number
}

/**
 * A `SqlClient` on a PostgreSQL database (13 or later, in UTF-8). It needs the packages `@effect/sql-pg` and `pg`, which are
 * loaded when the layer is built.
 *
 * @since 0.2.0
 * @category layers
 * @example
 * import { Database, RunStore } from "charlotte"
 * import { Layer } from "effect"
 *
 * const Store = RunStore.layer.pipe(Layer.provide(Database.layerPostgres({ url: "postgres://localhost/jobs" })))
 */
export const layerPostgres = ({
  maxConnections = 10,
  url
}: PostgresOptions): Layer.Layer<SqlClient.SqlClient, StoreError> =>
  Layer.unwrapEffect(
    Effect.map(
      Effect.all([loadPostgres, PasswordFile.complete(typeof url === "string" ? Redacted.make(url) : url)]),
      ([{ layer }, url]) =>
        layer({
          url,
          maxConnections,
          connectTimeout: "5 seconds",
          applicationName: "charlotte"
        })
    )
  ).pipe(orStoreErrorLayer)

const loadPostgres = Effect.tryPromise({
  try: () => import("@effect/sql-pg/PgClient"),
  catch: () =>
    new StoreError({
      operation,
      reason: "other",
      cause: new Error("PostgreSQL needs two packages; install them with: npm install @effect/sql-pg@0.53 pg@8")
    })
})

const orStoreErrorLayer = Layer.catchAll((error: unknown) => Layer.fail(storeError(operation)(error)))

const openUntouched = (filename: string, thorough: boolean) =>
  retryWhileBusy(
    closeOnFailure(
      Effect.gen(function* () {
        if (!existsSync(filename)) {
          return yield* new StoreError({ operation, reason: "other", cause: new Error(`${filename} does not exist`) })
        }
        const { execute, sql } = yield* connect(
          filename,
          ["-wal", "-journal"].some((end) => existsSync(`${filename}${end}`))
        )
        yield* execute("PRAGMA query_only = ON")
        yield* Generation.refuseForeignLog(execute, filename)
        yield* refuseOldSqlite(execute)
        if (thorough || !IntegrityCheck.isLarge(filename)) yield* IntegrityCheck.refuse(execute, filename)
        return sql
      })
    )
  ).pipe(IntegrityCheck.explain(filename), orStoreError(operation), diagnoseMissingLocks(filename))

/** On a file system without locks SQLite reports a locked database. */
const diagnoseMissingLocks =
  (filename: string) =>
  <A, R>(effect: Effect.Effect<A, StoreError, R>): Effect.Effect<A, StoreError, R> =>
    Effect.tapError(effect, (error) =>
      error.reason === "busy" || isLockFailure(error) ? FileLock.refuseWithoutLocks(filename) : Effect.void
    )

const open = (options: Options): Effect.Effect<SqlClient.SqlClient, StoreError, Scope.Scope | Reactivity.Reactivity> =>
  Effect.flatMap(retryWhileBusy(Effect.scoped(refuseDamagedByCrash(options.filename))), (isChecked) =>
    // Each attempt opens a new connection: a client caches a failed prepare and would report busy forever.
    retryWhileBusy(
      closeOnFailure(
        Effect.gen(function* () {
          const isNew = options.filename === ":memory:" || !existsSync(options.filename)
          const { execute, sql } = yield* connect(options.filename, false)
          if (!isNew && !isChecked) yield* refuseDamaged(execute, options.filename)
          yield* refuseOldSqlite(execute)
          yield* execute("PRAGMA journal_mode = WAL")
          yield* durability(execute, options.synchronous ?? "FULL")
          markConfigured(yield* Effect.scoped(reserve(sql)))
          return sql
        })
      )
    )
  ).pipe(IntegrityCheck.explain(options.filename), orStoreError(operation), diagnoseMissingLocks(options.filename))

/** Connects with `disableWAL`: the client would set WAL mode before the busy timeout, and block the event loop for up to five seconds. */
const connect = (filename: string, readonly: boolean) =>
  Effect.gen(function* () {
    yield* Driver.refuseOldNode
    const sql = yield* SqliteClient.make({ filename, readonly, disableWAL: true })
    const execute = yield* rawQuery.of(sql)
    yield* execute(`PRAGMA busy_timeout = ${driverTimeout}`)
    return { sql, execute }
  })

/**
 * Checks the file and its schema version before anything in it changes; `RunStore.layer` checks a large file once it is open. The
 * connection is writable, so that it can delete its temporary files and roll back a journal.
 */
const refuseDamaged = (execute: rawQuery.RawQuery, filename: string) =>
  Effect.zipRight(
    IntegrityCheck.isLarge(filename) ? readSchema(execute) : IntegrityCheck.refuse(execute, filename),
    Migrations.refuseNewer(execute)
  )

/**
 * If the WAL of a crash is present, uses a separate read-only connection: closing a writable one would checkpoint the WAL into
 * the file. Returns whether the file was checked.
 */
const refuseDamagedByCrash = (filename: string) =>
  existsSync(filename) && existsSync(`${filename}-wal`)
    ? Effect.flatMap(connect(filename, true), ({ execute }) =>
        Effect.as(
          Effect.zipRight(Generation.refuseForeignLog(execute, filename), refuseDamaged(execute, filename)),
          true
        )
      )
    : Effect.succeed(false)

/** Rejects a file of any size that is not a database, or is shorter than its header says. */
const readSchema = (execute: rawQuery.RawQuery) => execute("SELECT count(*) FROM sqlite_master")

const refuseOldSqlite = (execute: rawQuery.RawQuery) =>
  Effect.flatMap(execute<{ version: string }>("SELECT sqlite_version() AS version"), (rows) => {
    const version = rows[0]?.version ?? "0"
    const parts = version.split(".").map(Number)
    const at = oldestSqlite.findIndex((part, i) => part !== parts[i])
    return at === -1 || (parts[at] ?? 0) > (oldestSqlite[at] ?? 0)
      ? Effect.void
      : new StoreError({
          operation,
          reason: "version",
          cause: new Error(
            `SQLite ${version} is older than the required ${oldestSqlite.join(".")}; install better-sqlite3 13.2 or newer`
          )
        })
  })

/** The driver falls back to `NORMAL` at the first write in WAL mode, so the setting is read again after a write. */
const durability = (execute: rawQuery.RawQuery, synchronous: "FULL" | "NORMAL") =>
  Effect.gen(function* () {
    yield* execute(`PRAGMA synchronous = ${synchronous}`)
    yield* execute("PRAGMA foreign_keys = ON")
    const [version] = yield* execute<{ user_version: number }>("PRAGMA user_version")
    yield* execute(`PRAGMA user_version = ${version?.user_version ?? 0}`)
    const [set] = yield* execute<{ synchronous: number }>("PRAGMA synchronous")
    if (set?.synchronous !== (synchronous === "FULL" ? 2 : 1)) {
      const cause = new Error(
        `PRAGMA synchronous = ${synchronous} did not take effect: it is ${set?.synchronous} after a write`
      )
      return yield* new StoreError({ operation, reason: "other", cause })
    }
  })
