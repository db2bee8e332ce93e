/**
 * A migration changes tables that others use: it waits for them for a moment at a time, since all who come later wait behind it.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, it } from "@effect/vitest"
import { Database } from "charlotte"
import { Effect, Fiber } from "effect"
import { Client } from "pg"
import { poll } from "../../src/internal/RealClock.js"
import * as migrationVersion from "../../src/store/sql/migrationVersion.js"
import { migrations } from "../../src/store/postgres/migrations/index.js"
import * as PostgresMigrations from "../../src/store/postgres/PostgresMigrations.js"
import * as PostgresSession from "../../src/store/postgres/PostgresSession.js"
import * as TestDatabase from "./database.js"

const connect = (url: string) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const client = new Client({ connectionString: url, application_name: "a long reader" })
      await client.connect()
      return client
    }),
    (client) => Effect.promise(() => client.end())
  ).pipe(
    Effect.map(
      (client) => (statement: string) => Effect.promise(() => client.query<Record<string, unknown>>(statement))
    )
  )

const old = migrationVersion.latest(migrations)

/** The migrations of a later version, which changes `charlotte_attempts`. */
const later = {
  ...migrations,
  [`${String(old + 1).padStart(4, "0")}_later`]: ["ALTER TABLE charlotte_attempts ADD COLUMN later TEXT"]
}

const migrate = (url: string, migrations?: typeof later) =>
  SqlClient.SqlClient.pipe(
    Effect.flatMap(PostgresSession.make),
    Effect.flatMap((session) => PostgresMigrations.run(session, migrations)),
    Effect.provide(Database.layerPostgres({ url }))
  )

const makeOld = Effect.gen(function* () {
  const url = yield* TestDatabase.make
  const query = yield* connect(url)
  yield* migrate(url)
  return { url, query }
})

const read = "SELECT count(*) FROM charlotte_attempts"
const waiting = `SELECT 1 FROM pg_locks WHERE relation = 'charlotte_attempts'::regclass AND NOT granted`

/** A transaction that has read a table, and is still open. */
const readInTransaction = (url: string) =>
  Effect.gen(function* () {
    const query = yield* connect(url)
    yield* query("BEGIN")
    yield* query(read)
    return { commit: query("COMMIT") }
  })

describe("a migration, while a transaction that has read the tables is open", () => {
  it.scopedLive("lets others read them, and is made once that transaction has ended", () =>
    Effect.gen(function* () {
      const { query, url } = yield* makeOld
      const other = yield* connect(url)
      const { commit } = yield* readInTransaction(url)
      const migrating = yield* Effect.fork(migrate(url, later))
      yield* poll(other(waiting), { until: ({ rows }) => rows.length > 0, pause: 10, atMost: "20 seconds" })
      // Behind the migration, which waits for the open transaction.
      yield* query(read)
      expect(migrating.unsafePoll()).toBe(null)
      yield* commit
      yield* Fiber.join(migrating)
      const { rows } = yield* query("SELECT max(migration_id) AS version FROM charlotte_migrations")
      expect(rows).toEqual([{ version: old + 1 }])
    })
  )

  it.scopedLive("fails and says which process of the server to end, where that transaction does not end", () =>
    Effect.gen(function* () {
      const { query, url } = yield* makeOld
      yield* readInTransaction(url)
      const error = yield* Effect.flip(migrate(url, later))
      expect(error).toMatchObject({ _tag: "StoreError", operation: "migrate", reason: "busy" })
      expect(String(error.cause)).toMatch(
        /tables are in use by another transaction \(process \d+ of the server, "a long reader", open for \d+ s\).*pg_terminate_backend\(\d+\)/
      )
      const { rows } = yield* query("SELECT max(migration_id) AS version FROM charlotte_migrations")
      expect(rows).toEqual([{ version: old }])
    })
  )
})
