/**
 * Compares the tables, columns, indexes and triggers of a database with the objects that the migrations create.
 */
import * as Reactivity from "@effect/experimental/Reactivity"
import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import { Effect } from "effect"
import type { StoreError } from "../../domain/errors.js"
import * as migrationVersion from "../sql/migrationVersion.js"
import { migrations } from "./migrations/index.js"
import { orStoreError } from "../sql/mapSqlError.js"
import { reserve } from "../sql/reserve.js"
import * as SqliteClient from "./SqliteClient.js"

type Objects = ReadonlySet<string>

const statement = `
  WITH own AS (
    SELECT type, name FROM sqlite_master WHERE name GLOB 'charlotte_*' AND name <> 'charlotte_migrations'
  )
  SELECT type || ' ' || name AS object FROM own
  UNION SELECT 'column ' || own.name || '.' || c.name FROM own, pragma_table_info(own.name) c WHERE own.type = 'table'`

const objects: Effect.Effect<Objects, SqlError, SqlClient.SqlClient> = Effect.gen(function* () {
  const { executeUnprepared } = yield* Effect.flatMap(SqlClient.SqlClient, reserve)
  const rows: ReadonlyArray<{ readonly object: string }> = yield* executeUnprepared(statement, [], undefined)
  return new Set(rows.map(({ object }) => object))
}).pipe(Effect.scoped)

/** The objects that the migrations up to a version create, in an in-memory database. */
const expected = (version: number): Effect.Effect<Objects, SqlError> =>
  Effect.gen(function* () {
    const sql = yield* SqliteClient.make({ filename: ":memory:", disableWAL: true })
    const applied = Object.entries(migrations).filter(([name]) => migrationVersion.of(name) <= version)
    const migrate = Effect.forEach(applied, ([, migration]) => migration)
    return yield* Effect.provideService(Effect.zipRight(migrate, objects), SqlClient.SqlClient, sql)
  }).pipe(Effect.scoped, Effect.provide(Reactivity.layer))

const difference = (version: number, of: (found: Objects, expected: Objects) => readonly [Objects, Objects]) =>
  Effect.zipWith(objects, expected(version), (found, expected) => {
    const [these, those] = of(found, expected)
    return [...these].filter((object) => !those.has(object)).sort()
  }).pipe(orStoreError("check the schema"))

type Check = (version: number) => Effect.Effect<ReadonlyArray<string>, StoreError, SqlClient.SqlClient>

/** The objects that a database of that version lacks, such as `trigger charlotte_runs_attempt`. */
export const missing: Check = (version) => difference(version, (found, expected) => [expected, found])

/** The objects that a database has in excess of that version. */
export const unexpected: Check = (version) => difference(version, (found, expected) => [found, expected])
