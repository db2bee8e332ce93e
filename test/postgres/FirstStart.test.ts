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
      // A few changes of the catalog only: the server gives many at once also to those that do not ask for them.
      yield* query("BEGIN")
      yield* query("CREATE TABLE charlotte_migrations (migration_id INTEGER PRIMARY KEY, name TEXT NOT NULL)")
      const late = yield* SqlClient.SqlClient.pipe(
        Effect.flatMap(PostgresSession.make),
        Effect.flatMap(PostgresMigrations.run),
        Effect.provide(Database.layerPostgres({ url })),
        Effect.fork
      )
      const waiting = `SELECT 1 FROM pg_stat_activity
        WHERE wait_event_type = 'Lock' AND datname = current_database()`
      yield* poll(query(waiting), { until: ({ rows }) => rows.length > 0, pause: 20, atMost: "20 seconds" })

      const versions = Object.keys(migrations).map((key) => `(${Number.parseInt(key, 10)}, '${key.slice(5)}')`)
      yield* query(`INSERT INTO charlotte_migrations VALUES ${versions.join(", ")}`)
      yield* query("COMMIT")
      yield* Fiber.join(late)
      expect((yield* query("SELECT to_regclass('charlotte_runs')::text AS name")).rows).toEqual([{ name: null }])
    })
  )
})
