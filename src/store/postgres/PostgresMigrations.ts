/**
 * Migrates Charlotte's tables in a PostgreSQL database. One process at a time does so, in one transaction.
 */
import { Effect, Option, Schema } from "effect"
import { StoreError } from "../../domain/errors.js"
import { retryWhileBusy } from "../sql/busyRetry.js"
import type { Connection } from "../sql/Dialect.js"
import { storeError } from "../sql/mapSqlError.js"
import type { Session } from "../sql/Session.js"
import { execute, query } from "../sql/statements.js"
import * as migrationVersion from "../migrationVersion.js"
import { migrations } from "./migrations/index.js"

const operation = "migrate"
const lock = 1_128_808_790
const latest = migrationVersion.latest(migrations)

const selectName = query(Schema.Struct({ name: Schema.NullOr(Schema.String) }))
const selectVersion = query(Schema.Struct({ id: Schema.NullOr(Schema.Number) }))

/** The schema version, if there is any. */
const versionIn = (connection: Connection) =>
  Effect.gen(function* () {
    const [table] = yield* selectName(
      connection,
      "SELECT CAST(to_regclass('charlotte_migrations') AS text) AS name",
      []
    )
    if (table === undefined || table.name === null) return Option.none<number>()
    const [row] = yield* selectVersion(connection, "SELECT max(migration_id) AS id FROM charlotte_migrations", [])
    return Option.fromNullable(row?.id)
  })

const refusal = (found: number, what: string) =>
  new StoreError({
    operation,
    reason: "version",
    cause: new Error(`the database has schema version ${found}, and this Charlotte ${what}`)
  })

const migrate = (connection: Connection) =>
  Effect.gen(function* () {
    yield* execute(connection, `SELECT pg_advisory_xact_lock(${lock}, 0)`)
    // Before the version is read: it waits for what others have changed, which `to_regclass` may not see within a transaction.
    yield* execute(
      connection,
      `CREATE TABLE IF NOT EXISTS charlotte_migrations (
         migration_id INTEGER PRIMARY KEY,
         created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
         name TEXT NOT NULL
       )`
    )
    const applied = Option.getOrElse(yield* versionIn(connection), () => 0)
    for (const [name, statements] of Object.entries(migrations)) {
      if (migrationVersion.of(name) <= applied) continue
      // Not by `execute`, which would take a `?` for a parameter.
      for (const statement of statements) yield* connection.executeRaw(statement, [])
      yield* execute(connection, "INSERT INTO charlotte_migrations (migration_id, name) VALUES (?, ?)", [
        migrationVersion.of(name),
        name.replace(/^\d+_/, "")
      ])
    }
  })

/** Usually the schema is up to date, and this is a single query. */
export const run = (session: Session): Effect.Effect<void, StoreError> =>
  session
    .reserve((connection) =>
      Effect.gen(function* () {
        const found = yield* versionIn(connection)
        if (Option.contains(found, latest)) return
        if (Option.isSome(found) && found.value > latest) {
          return yield* refusal(found.value, `supports up to ${latest}; install a newer Charlotte`)
        }
        yield* execute(connection, "BEGIN")
        yield* Effect.onError(migrate(connection), () => Effect.ignore(execute(connection, "ROLLBACK")))
        yield* execute(connection, "COMMIT")
      })
    )
    .pipe(retryWhileBusy, Effect.mapError(storeError(operation)), Effect.uninterruptible)

/** The current version, if any, and the latest one. Changes nothing. */
export const version = (session: Session) =>
  Effect.map(session.read("read the schema version", versionIn), (found) => ({ found, latest }))

/** Fails unless the schema is up to date. */
export const verify = (session: Session): Effect.Effect<void, StoreError> =>
  Effect.flatMap(session.read("open the store", versionIn), (found) =>
    Option.contains(found, latest)
      ? Effect.void
      : refusal(
          Option.getOrElse(found, () => 0),
          `reads ${latest}; open it once with RunStore.layer to migrate it`
        )
  )
