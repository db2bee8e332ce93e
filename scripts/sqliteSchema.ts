/**
 * Writes src/store/sqlite/schema.ts, the tables that the migrations of SQLite make: `npx tsx scripts/sqliteSchema.ts`.
 */
import * as Reactivity from "@effect/experimental/Reactivity"
import * as Migrator from "@effect/sql/Migrator"
import * as SqlClient from "@effect/sql/SqlClient"
import * as SqliteClient from "@effect/sql-sqlite-node/SqliteClient"
import { Effect } from "effect"
import { realpathSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { migrations } from "../src/store/sqlite/migrations/index.js"
import { insertFirst } from "../src/store/sqlite/migrations/v0_2/generation.js"

const introduction = `/**
 * The statements that make the tables of the newest version in a database without them, written by \`npx tsx scripts/sqliteSchema.ts\`
 * from what the migrations make. One after the other, the migrations would take five times as long.
 */
export const schema: ReadonlyArray<string> = [
`

/** In the order of their creation, so that a table comes before its indexes and triggers. SQLite makes the others by itself. */
const objects = `
  SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT GLOB 'sqlite_*'
    AND name NOT IN (SELECT name FROM pragma_table_list WHERE type = 'shadow')
  ORDER BY rowid`

/** The migrations make no other rows in an empty database. */
const records = `
  SELECT 'INSERT INTO charlotte_migrations (migration_id, name) VALUES '
    || group_concat('(' || migration_id || ', ' || quote(name) || ')', ', ' ORDER BY migration_id) AS sql
  FROM charlotte_migrations`

const table = "charlotte_migrations"

/** Makes the tables in an empty database, migration by migration. */
export const migrate = Migrator.make({})({ loader: Migrator.fromRecord(migrations), table })

const quoted = (statement: string) => `  \`${statement.replaceAll(/[\\`]|\$\{/g, String.raw`\$&`)}\``

/** The text of the file. */
export const text = Effect.gen(function* () {
  const sql = yield* SqliteClient.make({ filename: ":memory:" })
  yield* Effect.provideService(migrate, SqlClient.SqlClient, sql)
  const rows = [...(yield* sql.unsafe<{ sql: string }>(objects)), ...(yield* sql.unsafe<{ sql: string }>(records))]
  // The first start of version 0.1.0, if it was killed, has left this table empty.
  const statements = rows.map(({ sql }) => sql.replace(`TABLE "${table}"`, `TABLE IF NOT EXISTS "${table}"`))
  return `${introduction}${[...statements, insertFirst].map(quoted).join(",\n")}\n]\n`
}).pipe(Effect.scoped, Effect.provide(Reactivity.layer))

const file = fileURLToPath(import.meta.url)
if (realpathSync(process.argv[1] ?? "") === file) {
  writeFileSync(join(file, "../../src/store/sqlite/schema.ts"), await Effect.runPromise(text))
}
