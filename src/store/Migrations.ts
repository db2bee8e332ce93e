/**
 * Brings Charlotte's tables up to date, in a database that may be an application's own.
 */
import * as Reactivity from "@effect/experimental/Reactivity"
import * as Migrator from "@effect/sql/Migrator"
import * as SqlClient from "@effect/sql/SqlClient"
import type { Connection } from "@effect/sql/SqlConnection"
import * as Statement from "@effect/sql/Statement"
import { Effect, Option } from "effect"
import { StoreError } from "../domain/errors.js"
import { retryWhileBusy } from "./sql/busyRetry.js"
import { orStoreError } from "./sql/mapSqlError.js"
import { migrations } from "./migrations/index.js"

const table = "charlotte_migrations"
const operation = "migrate"
const latest = Object.keys(migrations).length

/** SQLite may have rolled back by itself. Were that an error, it would hide the one before it. */
const forgiving = (connection: Connection): Connection => ({
  ...connection,
  executeUnprepared: (sql, params, transformRows) => {
    const rows = connection.executeUnprepared(sql, params, transformRows)
    return sql === "ROLLBACK" ? Effect.orElseSucceed(rows, () => []) : rows
  }
})

/**
 * A client of our own on the application's connection: it spells names as they are written, and takes the lock when it begins
 * a transaction.
 */
const plainClient = Effect.flatMap(SqlClient.SqlClient, (sql) =>
  SqlClient.make({
    acquirer: Effect.map(sql.reserve, forgiving),
    compiler: Statement.makeCompilerSqlite(),
    beginTransaction: "BEGIN IMMEDIATE",
    spanAttributes: []
  })
).pipe(Effect.provide(Reactivity.layer))

/** A transaction whose COMMIT has failed is still open. */
const rollback = Effect.flatMap(SqlClient.SqlClient, (sql) => Effect.ignore(sql.unsafe("ROLLBACK").unprepared))

/** A failed migration is a defect, and a locked database may look like one: both become failures that can be retried. */
const migrate = Migrator.make({})({ loader: Migrator.fromRecord(migrations), table }).pipe(
  orStoreError(operation),
  Effect.tapError(() => rollback),
  Effect.provideServiceEffect(SqlClient.SqlClient, plainClient)
)

/**
 * Past the templates of the client, which take several times as long when it is the first time. Not prepared: a client
 * remembers what could not be prepared, and would say for ever that the database is busy.
 */
const applied = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const { executeUnprepared } = yield* sql.reserve
  const there = yield* executeUnprepared(`SELECT name FROM sqlite_master WHERE name = '${table}'`, [], undefined)
  if (there.length === 0) return Option.none<number>()
  const [row]: ReadonlyArray<{ readonly id: number | null }> = yield* executeUnprepared(
    `SELECT max(migration_id) AS id FROM ${table}`,
    [],
    undefined
  )
  return Option.fromNullable(row?.id)
}).pipe(Effect.scoped, orStoreError(operation))

const newer = (id: number) =>
  new StoreError({
    operation,
    reason: "version",
    cause: new Error(`the database is at version ${id}, this Charlotte knows ${latest}: install a newer one`)
  })

/**
 * The migrator takes a failure to record its work for another process doing it, and then says nothing: so the tables are
 * looked at afterwards.
 */
const upToDate = Effect.flatMap(applied, (id) =>
  Option.contains(id, latest)
    ? Effect.void
    : new StoreError({
        operation,
        reason: "busy",
        cause: new Error("another process is migrating the database, or it cannot be written")
      })
)

/** The version of the tables, if there are any, and the one to which `run` brings them. Nothing is changed. */
export const version: Effect.Effect<
  { readonly found: Option.Option<number>; readonly latest: number },
  StoreError,
  SqlClient.SqlClient
> = Effect.map(retryWhileBusy(applied), (found) => ({ found, latest }))

/** Content with tables that are up to date already. */
export const verify: Effect.Effect<void, StoreError, SqlClient.SqlClient> = Effect.flatMap(version, ({ found }) =>
  Option.contains(found, latest)
    ? Effect.void
    : new StoreError({
        operation: "open the store",
        reason: "version",
        cause: new Error(
          `the database is at version ${Option.getOrElse(found, () => 0)}, and this Charlotte reads ${latest}`
        )
      })
)

/** Nearly always the tables are as they should be, and then this is one question. */
const update = Effect.flatMap(applied, (id) => {
  if (Option.contains(id, latest)) return Effect.void
  return Option.isSome(id) && id.value > latest ? newer(id.value) : Effect.zipRight(migrate, upToDate)
})

export const run = retryWhileBusy(update)
