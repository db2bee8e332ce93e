/**
 * Creates and migrates Charlotte's tables, in a database that may belong to an application.
 */
import * as Reactivity from "@effect/experimental/Reactivity"
import * as Migrator from "@effect/sql/Migrator"
import * as SqlClient from "@effect/sql/SqlClient"
import type { Connection } from "@effect/sql/SqlConnection"
import type { SqlError } from "@effect/sql/SqlError"
import * as Statement from "@effect/sql/Statement"
import { Duration, Effect, Option } from "effect"
import { StoreError } from "../../domain/errors.js"
import { retryWhileBusy } from "../sql/busyRetry.js"
import { orStoreError } from "../sql/mapSqlError.js"
import type { RawQuery } from "../sql/rawQuery.js"
import { reserve } from "../sql/reserve.js"
import * as migrationVersion from "../sql/migrationVersion.js"
import * as StartProgress from "../port/StartProgress.js"
import * as liveOwner from "./liveOwner.js"
import * as SchemaCheck from "./SchemaCheck.js"
import { migrations } from "./migrations/index.js"
import { schema } from "./schema.js"

const table = "charlotte_migrations"
const operation = "migrate"
const latest = migrationVersion.latest(migrations)

/** Ignores a failed ROLLBACK: SQLite may have rolled back already, and the failure would hide the original error. */
const ignoreFailedRollback = (connection: Connection): Connection => ({
  ...connection,
  executeUnprepared: (sql, params, transformRows) => {
    const rows = connection.executeUnprepared(sql, params, transformRows)
    return sql === "ROLLBACK" ? Effect.orElseSucceed(rows, () => []) : rows
  }
})

/**
 * A separate client on the application's connection, without name transforms, that takes the write lock at the start of a
 * transaction. It keeps the connection for itself, with foreign keys off: a table that others refer to can then be built
 * again; inside a transaction SQLite ignores the switch.
 */
const plainClient = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const connection = ignoreFailedRollback(yield* reserve(sql))
  const foreignKeys = (state: unknown) => connection.executeUnprepared(`PRAGMA foreign_keys=${state}`, [], undefined)
  const [before] = yield* connection.executeUnprepared("PRAGMA foreign_keys", [], undefined)
  yield* Effect.acquireRelease(foreignKeys("OFF"), () => Effect.ignore(foreignKeys(before?.foreign_keys ?? 1)))
  return yield* SqlClient.make({
    acquirer: Effect.succeed(connection),
    compiler: Statement.makeCompilerSqlite(),
    beginTransaction: "BEGIN IMMEDIATE",
    spanAttributes: []
  })
}).pipe(Effect.provide(Reactivity.layer))

/** Rolls back, since a failed COMMIT leaves the transaction open. */
const rollback = Effect.flatMap(SqlClient.SqlClient, reserve).pipe(
  Effect.flatMap(({ executeUnprepared }) => executeUnprepared("ROLLBACK", [], undefined)),
  Effect.ignore
)

/**
 * `Migrator` turns failures, including a locked database, into defects; map both to `StoreError` so that they can be retried.
 */
const onPlainClient = <A, E>(effect: Effect.Effect<A, E, SqlClient.SqlClient>) =>
  effect.pipe(
    orStoreError(operation),
    Effect.tapError(() => rollback),
    Effect.provideServiceEffect(SqlClient.SqlClient, orStoreError(operation)(plainClient)),
    Effect.scoped
  )

const migrate = onPlainClient(Migrator.make({})({ loader: Migrator.fromRecord(migrations), table }))

const versionBy = (execute: RawQuery): Effect.Effect<Option.Option<number>, SqlError | StoreError> =>
  Effect.gen(function* () {
    const tables = yield* execute(`SELECT name FROM sqlite_master WHERE name = '${table}'`)
    if (tables.length === 0) return Option.none()
    const [row] = yield* execute<migrationVersion.Recorded>(migrationVersion.select)
    return yield* migrationVersion.read(row)
  })

/**
 * The schema version, read without the client's statement templates, whose first use is slow. The statement is not prepared: a client
 * caches a failed prepare and would report busy forever.
 */
const applied = Effect.gen(function* () {
  const { executeUnprepared } = yield* Effect.flatMap(SqlClient.SqlClient, reserve)
  return yield* versionBy((statement) => executeUnprepared(statement, [], undefined))
}).pipe(Effect.scoped, orStoreError(operation))

/** Creates the tables of the newest version at once, unless another process has created some since the version was read. */
const create = onPlainClient(
  Effect.flatMap(SqlClient.SqlClient, ({ withTransaction }) =>
    withTransaction(
      Effect.gen(function* () {
        if (Option.isSome(yield* applied)) return
        const { executeUnprepared } = yield* Effect.flatMap(SqlClient.SqlClient, reserve)
        for (const statement of schema) yield* executeUnprepared(statement, [], undefined)
      }).pipe(Effect.scoped)
    )
  )
)

const newer = (id: number) =>
  new StoreError({
    operation,
    reason: "version",
    cause: new Error(
      `the database has schema version ${id}, and this Charlotte supports up to ${latest}; install a newer Charlotte`
    )
  })

const inUse = (id: number, kind: string, pid: number) =>
  new StoreError({
    operation,
    reason: "version",
    cause: new Error(
      `the database has schema version ${id}, and this Charlotte has ${latest}; process ${pid} manages jobs of kind ${kind} with version ${id}: stop it, then the database is migrated`
    )
  })

/** Refuses a newer schema on a connection that has written nothing yet. */
export const refuseNewer = (execute: RawQuery): Effect.Effect<void, StoreError | SqlError> =>
  Effect.flatMap(versionBy(execute), (id) => (Option.isSome(id) && id.value > latest ? newer(id.value) : Effect.void))

/**
 * `Migrator` treats a failure to record the migration as a concurrent migration and succeeds, so the version is checked
 * afterwards.
 */
const upToDate = Effect.flatMap(applied, (id) =>
  Option.contains(id, latest)
    ? Effect.void
    : new StoreError({
        operation,
        reason: "busy",
        cause: new Error(
          "the migration was not recorded: another process is migrating the database, or it is not writable; try again"
        )
      })
)

/** The current schema version, if any, and the latest version. Changes nothing. */
export const version: Effect.Effect<
  { readonly found: Option.Option<number>; readonly latest: number },
  StoreError,
  SqlClient.SqlClient
> = Effect.map(retryWhileBusy(applied), (found) => ({ found, latest }))

/** Fails unless the schema is up to date. */
export const verify: Effect.Effect<void, StoreError, SqlClient.SqlClient> = Effect.flatMap(version, ({ found }) =>
  Option.contains(found, latest)
    ? Effect.void
    : new StoreError({
        operation: "open the store",
        reason: "version",
        cause: new Error(
          `the database has schema version ${Option.getOrElse(found, () => 0)}, and this Charlotte reads ${latest}; open it once with RunStore.layer to migrate it`
        )
      })
)

/**
 * Explains a migration that fails on existing tables: the migrations table was restored or edited without them. It checks
 * after the failure, since another process may be migrating before it.
 */
const explain = (error: StoreError) =>
  Effect.gen(function* () {
    const version = Option.getOrElse(yield* applied, () => 0)
    if ((yield* SchemaCheck.unexpected(version)).length === 0) return yield* error
    return yield* new StoreError({
      operation,
      reason: "version",
      cause: new Error(
        `the tables of the database are newer than schema version ${version}, which its table ${table} records; ` +
          "restore the whole file from a backup, or move it away to start afresh"
      )
    })
  })

/** The number of runs in a database, which may be of an earlier version, or empty. */
const runs = Effect.gen(function* () {
  const { executeUnprepared } = yield* Effect.flatMap(SqlClient.SqlClient, reserve)
  const [table] = yield* executeUnprepared("SELECT 1 FROM sqlite_master WHERE name = 'charlotte_runs'", [], undefined)
  if (table === undefined) return 0
  const rows: ReadonlyArray<{ readonly runs: number }> = yield* executeUnprepared(
    "SELECT count(*) AS runs FROM charlotte_runs",
    [],
    undefined
  )
  return rows[0]?.runs ?? 0
}).pipe(Effect.scoped, orStoreError(operation))

/** Reports the start and the end of a long migration. */
const reported = Effect.gen(function* () {
  const found = yield* runs
  if (found < StartProgress.worthMentioning) {
    yield* migrate
    return
  }
  const { report } = StartProgress
  yield* report(
    `migrating the database, which has ${StartProgress.count(found)} runs, for this version of Charlotte; ` +
      "this can take a minute, and starts over if it is interrupted"
  )
  const [took] = yield* Effect.timed(migrate)
  yield* report(`migrated the database in ${Math.ceil(Duration.toSeconds(took))} s`)
})

/** Usually the schema is up to date, and this is a single query. */
const update = Effect.gen(function* () {
  const found = yield* applied
  if (Option.contains(found, latest)) return
  if (Option.isSome(found)) {
    if (found.value > latest) return yield* newer(found.value)
    const owner = yield* liveOwner.find(found.value)
    if (Option.isSome(owner)) return yield* inUse(found.value, owner.value.kind, owner.value.pid)
  }
  yield* Effect.catchIf(Option.isSome(found) ? reported : create, ({ reason }) => reason === "other", explain)
  yield* upToDate
})

export const run = retryWhileBusy(update)
