/**
 * Migrates Charlotte's tables in a PostgreSQL database. One process at a time does so, in one transaction, and others may use the
 * tables meanwhile.
 */
import { Effect, Option, Schema } from "effect"
import { StoreError } from "../../domain/errors.js"
import { retryWhileBusy } from "../sql/busyRetry.js"
import type { Connection } from "../sql/Dialect.js"
import { reasonOf, storeError } from "../sql/mapSqlError.js"
import type { Session } from "../sql/Session.js"
import { execute, query } from "../sql/statements.js"
import * as migrationVersion from "../sql/migrationVersion.js"
import { migrations } from "./migrations/index.js"

const operation = "migrate"

/**
 * How long a statement waits for a transaction that uses its table, while all later statements wait behind it: less than the lease of
 * a node, and more than `deadlock_timeout` (1 s by default), after which the server ends an automatic VACUUM that blocks it.
 */
const lockTimeout = "2s"

const selectName = query(Schema.Struct({ name: Schema.NullOr(Schema.String) }))
const selectVersion = query(Schema.Struct({ id: Schema.NullOr(Schema.Number), name: Schema.NullOr(Schema.String) }))

/** The record in the table of migrations, if the table exists. */
const recordedIn = (connection: Connection) =>
  Effect.gen(function* () {
    const [table] = yield* selectName(
      connection,
      "SELECT CAST(to_regclass('charlotte_migrations') AS text) AS name",
      []
    )
    if (table === undefined || table.name === null) return undefined
    const [row] = yield* selectVersion(connection, migrationVersion.select, [])
    return row
  })

/** The schema version, if any. */
const versionIn = (connection: Connection) => Effect.flatMap(recordedIn(connection), migrationVersion.read)

const versionOf = (session: Session, operation: string) =>
  Effect.flatMap(session.read(operation, recordedIn), migrationVersion.read)

const refusal = (found: number, what: string) =>
  new StoreError({
    operation,
    reason: "version",
    cause: new Error(`the database has schema version ${found}, and this Charlotte ${what}`)
  })

const selectUsers = query(
  Schema.Struct({ pid: Schema.Number, name: Schema.NullOr(Schema.String), seconds: Schema.NullOr(Schema.Number) })
)

/** Names the transaction that has used the tables for the longest time, if any. */
const explainBusy = <E>(connection: Connection, error: E) =>
  Effect.gen(function* () {
    if (reasonOf(error) !== "busy") return yield* Effect.fail(error)
    const [user] = yield* selectUsers(
      connection,
      `SELECT l.pid, NULLIF(a.application_name, '') AS name,
         CAST(extract(epoch FROM clock_timestamp() - a.xact_start) AS integer) AS seconds
       FROM pg_locks l JOIN pg_class c ON c.oid = l.relation JOIN pg_database d ON d.oid = l.database
         JOIN pg_stat_activity a ON a.pid = l.pid
       WHERE d.datname = current_database() AND c.relnamespace = CAST(current_schema() AS regnamespace)
         AND c.relname LIKE 'charlotte\\_%' AND l.granted AND l.pid <> pg_backend_pid()
       ORDER BY a.xact_start LIMIT 1`,
      []
    ).pipe(Effect.orElseSucceed(() => []))
    if (user === undefined) return yield* Effect.fail(error)
    const { name, pid, seconds } = user
    const details = [
      `process ${pid} of the server`,
      ...(name === null ? [] : [JSON.stringify(name)]),
      ...(seconds === null ? [] : [`open for ${seconds} s`])
    ]
    return yield* new StoreError({
      operation,
      reason: "busy",
      cause: new Error(
        `its tables are in use by another transaction (${details.join(", ")}); wait until it has ended, or end it with: ` +
          `SELECT pg_terminate_backend(${pid}), and try again`
      )
    })
  })

/** The statements that run before the migrations, in the same transaction. */
export const opening: ReadonlyArray<string> = [
  // This precedes reading the version: it waits for a process that creates the table at the same time, then fails, and is retried.
  `CREATE TABLE IF NOT EXISTS charlotte_migrations (
     migration_id INTEGER PRIMARY KEY,
     created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
     name TEXT NOT NULL
   )`,
  "SELECT migration_id FROM charlotte_migrations ORDER BY migration_id LIMIT 1 FOR NO KEY UPDATE",
  // This follows the lock, which waits as long as the migration of another process takes.
  `SET LOCAL lock_timeout TO '${lockTimeout}'`
]

export interface Migration {
  readonly version: number
  /** The name, such as `logs`. */
  readonly name: string
  /** The statements of the migration; the last one records it. */
  readonly statements: ReadonlyArray<string>
}

type Migrations = typeof migrations

/** The migrations that a database of that version lacks. */
export const after = (applied: number, all: Migrations = migrations): ReadonlyArray<Migration> =>
  Object.entries(all).flatMap(([key, statements]) => {
    const version = migrationVersion.of(key)
    if (version <= applied) return []
    const name = key.replace(/^\d+_/, "")
    const record = `INSERT INTO charlotte_migrations (migration_id, name) VALUES (${version}, '${name}')`
    return [{ version, name, statements: [...statements, record] }]
  })

const migrate = (connection: Connection, all: Migrations) =>
  Effect.gen(function* () {
    // `execute` would take a `?` for a parameter.
    const run = (statement: string) => connection.executeRaw(statement, [])
    yield* Effect.forEach(opening, run, { discard: true })
    const applied = Option.getOrElse(yield* versionIn(connection), () => 0)
    const statements = after(applied, all).flatMap(({ statements }) => statements)
    yield* Effect.forEach(statements, run, { discard: true })
  })

const latest = migrationVersion.latest(migrations)

/** Usually the schema is up to date, and this is a single query. */
export const run = (session: Session, all: Migrations = migrations): Effect.Effect<void, StoreError> =>
  session
    .reserve((connection) =>
      Effect.gen(function* () {
        const target = migrationVersion.latest(all)
        const found = yield* versionIn(connection)
        if (Option.contains(found, target)) return
        if (Option.isSome(found) && found.value > target) {
          return yield* refusal(found.value, `supports up to ${target}; install a newer Charlotte`)
        }
        yield* execute(connection, "BEGIN")
        yield* migrate(connection, all).pipe(
          Effect.onError(() => Effect.ignore(execute(connection, "ROLLBACK"))),
          Effect.catchAll((error) => explainBusy(connection, error))
        )
        yield* execute(connection, "COMMIT")
      })
    )
    .pipe(retryWhileBusy, Effect.mapError(storeError(operation)), Effect.uninterruptible)

/** The current version, if any, and the latest version. Changes nothing. */
export const version = (session: Session) =>
  Effect.map(versionOf(session, "read the schema version"), (found) => ({ found, latest }))

/** Fails unless the schema is up to date. */
export const verify = (session: Session): Effect.Effect<void, StoreError> =>
  Effect.flatMap(versionOf(session, "open the store"), (found) =>
    Option.contains(found, latest)
      ? Effect.void
      : refusal(
          Option.getOrElse(found, () => 0),
          `reads ${latest}; open it once with RunStore.layer to migrate it`
        )
  )
