import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, it } from "@effect/vitest"
import { Database } from "charlotte"
import { Effect, Fiber } from "effect"
import { Client } from "pg"
import { poll } from "../../src/internal/RealClock.js"
import { migrations } from "../../src/store/postgres/migrations/index.js"
import * as PostgresMigrations from "../../src/store/postgres/PostgresMigrations.js"
import * as PostgresSession from "../../src/store/postgres/PostgresSession.js"
import * as TestDatabase from "./database.js"

/** Of migrations. */
const lock = "1128808790, 0"

describe("an empty database", () => {
  it.scopedLive("is not migrated by a process that has seen it empty, where another has migrated it meanwhile", () =>
    Effect.gen(function* () {
      const url = yield* TestDatabase.make
      const other = yield* Effect.acquireRelease(
        Effect.promise(async () => {
          const client = new Client({ connectionString: url })
          await client.connect()
          return client
        }),
        (client) => Effect.promise(() => client.end())
      )
      const query = (statement: string) => Effect.promise(() => other.query<Record<string, unknown>>(statement))
      yield* query(`SELECT pg_advisory_lock(${lock})`)
      const late = yield* SqlClient.SqlClient.pipe(
        Effect.flatMap(PostgresSession.make),
        Effect.flatMap(PostgresMigrations.run),
        Effect.provide(Database.layerPostgres({ url })),
        Effect.fork
      )
      const waiting = `SELECT 1 FROM pg_locks JOIN pg_database d ON d.oid = database
        WHERE locktype = 'advisory' AND NOT granted AND datname = current_database()`
      yield* poll(query(waiting), { until: ({ rows }) => rows.length > 0, pause: 20, atMost: "20 seconds" })

      // A few changes of the catalog only: the server gives many at once also to those that do not ask for them.
      yield* query("CREATE TABLE charlotte_migrations (migration_id INTEGER PRIMARY KEY, name TEXT NOT NULL)")
      const versions = Object.keys(migrations).map((key) => `(${Number.parseInt(key, 10)}, '${key.slice(5)}')`)
      yield* query(`INSERT INTO charlotte_migrations VALUES ${versions.join(", ")}`)
      yield* query(`SELECT pg_advisory_unlock(${lock})`)
      yield* Fiber.join(late)
      expect((yield* query("SELECT to_regclass('charlotte_runs')::text AS name")).rows).toEqual([{ name: null }])
    })
  )
})
