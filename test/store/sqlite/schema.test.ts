import * as Migrator from "@effect/sql/Migrator"
import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, it } from "@effect/vitest"
import { Database, RunStore } from "charlotte"
import { Effect } from "effect"
import { migrations } from "../../../src/store/sqlite/migrations/index.js"

/** Makes the tables migration by migration. */
const migrate = Migrator.make({})({ loader: Migrator.fromRecord(migrations), table: "charlotte_migrations" })

/** Differ from one database to the next. */
const varying = ["created_at", "generation"]

/**
 * The objects in the order of their creation, the settings in the header, and all rows. The texts of the objects determine columns,
 * indexes and foreign keys.
 */
const contents = <E>(create: Effect.Effect<unknown, E, SqlClient.SqlClient>) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    yield* create
    const objects = yield* sql`SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY rowid`
    const header = yield* Effect.forEach(["user_version", "application_id", "encoding", "auto_vacuum"], (name) =>
      sql.unsafe(`PRAGMA ${name}`)
    )
    const tables = yield* sql<{ name: string }>`
    SELECT name FROM pragma_table_list WHERE schema = 'main' AND type <> 'virtual' AND name <> 'sqlite_schema'
    ORDER BY name`
    const rows = yield* Effect.forEach(tables, ({ name }) =>
      Effect.map(sql<Readonly<Record<string, unknown>>>`SELECT * FROM ${sql(name)}`, (rows) => [
        name,
        rows.map((row) =>
          Object.entries(row).map(([column, value]) => [column, varying.includes(column) ? typeof value : value])
        )
      ])
    )
    return { objects, header, rows }
  }).pipe(Effect.provide(Database.layer({ filename: ":memory:" })))

describe("schema", () => {
  it.effect("a new database is what the migrations make", () =>
    Effect.gen(function* () {
      const migrated = yield* contents(migrate)
      expect(migrated.objects.length).toBeGreaterThan(100)
      expect(yield* contents(Effect.provide(Effect.void, RunStore.layer))).toEqual(migrated)
    })
  )
})
