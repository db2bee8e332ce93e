/**
 * Migrated databases in memory. The schema is built once per process; each further database is opened from its image.
 */
import * as Reactivity from "@effect/experimental/Reactivity"
import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import { Effect, type Scope } from "effect"
import type { StoreError } from "../../domain/errors.js"
import * as rawQuery from "../sql/rawQuery.js"
import * as Driver from "./Driver.js"
import * as Migrations from "./Migrations.js"
import * as SqliteClient from "./SqliteClient.js"

/** The driver also opens an image, which the type of the client does not say; a method may be called with more than its source takes. */
const client: {
  make(
    options: Omit<SqliteClient.SqliteClientConfig, "filename"> & { readonly filename: string | Uint8Array }
  ): ReturnType<typeof SqliteClient.make>
} = SqliteClient

let image: Uint8Array | undefined

const build = Effect.gen(function* () {
  const sql = yield* SqliteClient.make({ filename: ":memory:", disableWAL: true })
  yield* Effect.provideService(Migrations.run, SqlClient.SqlClient, sql)
  return yield* sql.export
}).pipe(Effect.scoped)

export const open: Effect.Effect<SqlClient.SqlClient, StoreError | SqlError, Scope.Scope> = Effect.gen(function* () {
  yield* Driver.refuseOldNode
  image ??= yield* build
  const sql = yield* client.make({ filename: image, disableWAL: true })
  const execute = yield* rawQuery.of(sql)
  yield* execute("PRAGMA foreign_keys = ON")
  return sql
}).pipe(Effect.provide(Reactivity.layer))
