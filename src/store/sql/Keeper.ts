/**
 * A second connection to a database, which can only read. The last connection to close carries the log into the database file,
 * and cannot be told not to: it would ruin a backup that was copied over that file. As long as this one is open, none is the last.
 */
import * as Reactivity from "@effect/experimental/Reactivity"
import * as SqliteClient from "../SqliteClient.js"
import { Effect, Exit, Scope } from "effect"
import type { StoreError } from "../../domain/errors.js"
import * as rawQuery from "./rawQuery.js"
import { driverTimeout, retryWhileBusy } from "./busyRetry.js"
import { closeOnFailure } from "../closeOnFailure.js"
import { orStoreError } from "./mapSqlError.js"

export interface Keeper {
  readonly close: Effect.Effect<void>
  /** Leaves it open for as long as this process lives. */
  readonly keep: Effect.Effect<void>
}

/** What is out of reach would be collected, and closed. */
const kept = new Set<Scope.CloseableScope>()

export const make = (path: string): Effect.Effect<Keeper, StoreError> =>
  Effect.gen(function* () {
    const scope = yield* Scope.make()
    const connect = Effect.gen(function* () {
      const ask = yield* rawQuery.of(yield* SqliteClient.make({ filename: path, readonly: true, disableWAL: true }))
      yield* ask(`PRAGMA busy_timeout = ${driverTimeout}`)
      // With the first page that it reads it shares the lock of the file, which it then keeps.
      yield* ask("SELECT count(*) FROM sqlite_master")
    })
    yield* retryWhileBusy(closeOnFailure(connect)).pipe(
      Scope.extend(scope),
      Effect.provide(Reactivity.layer),
      orStoreError("open the store")
    )
    return {
      close: Scope.close(scope, Exit.void),
      keep: Effect.sync(() => void kept.add(scope))
    }
  })
