/**
 * Brings Charlotte's tables up to date, in a database that may be an application's own.
 */
import * as Migrator from "@effect/sql/Migrator"
import * as SqlClient from "@effect/sql/SqlClient"
import { Effect, Option } from "effect"
import { StoreError } from "../domain/errors.js"
import { retryWhileBusy } from "./Busy.js"
import { orStoreError } from "./failure.js"
import { migrations } from "./migrations/index.js"

const table = "charlotte_migrations"
const operation = "migrate"
const latest = Object.keys(migrations).length

/** A failed migration is a defect, and a locked database may look like one: both become failures that can be retried. */
const migrate = Migrator.make({})({ loader: Migrator.fromRecord(migrations), table }).pipe(orStoreError(operation))

const applied = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const there = yield* sql.unsafe(`SELECT name FROM sqlite_master WHERE name = '${table}'`).withoutTransform
  if (there.length === 0) return Option.none<number>()
  const rows = yield* sql.unsafe<{ id: number }>(`SELECT max(migration_id) AS id FROM ${table}`).withoutTransform
  return Option.fromNullable(rows[0]?.id)
}).pipe(orStoreError(operation))

const refuseNewer = Effect.flatMap(applied, (id) =>
  Option.isSome(id) && id.value > latest
    ? new StoreError({
        operation,
        reason: "version",
        cause: new Error(`the database is at version ${id.value}, this Charlotte knows ${latest}: install a newer one`)
      })
    : Effect.void
)

/**
 * The migrator takes a failure to record its work for another process doing it, and then says nothing: so the tables are
 * looked at afterwards.
 */
export const run = Effect.gen(function* () {
  yield* retryWhileBusy(refuseNewer)
  yield* retryWhileBusy(
    Effect.zipRight(
      migrate,
      Effect.flatMap(applied, (id) =>
        Option.contains(id, latest)
          ? Effect.void
          : new StoreError({
              operation,
              reason: "busy",
              cause: new Error("another process is migrating the database, or it cannot be written")
            })
      )
    )
  )
})
