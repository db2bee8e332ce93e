/**
 * A second, read-only connection to a database. The last connection to close checkpoints the WAL into the database file,
 * which would destroy a backup that was copied over it; while the keeper is open, no other connection is the last.
 */
import * as Reactivity from "@effect/experimental/Reactivity"
import * as SqliteClient from "./SqliteClient.js"
import { Effect, Exit, Scope } from "effect"
import type { StoreError } from "../../domain/errors.js"
import * as rawQuery from "../sql/rawQuery.js"
import { driverTimeout, retryWhileBusy } from "../sql/busyRetry.js"
import { closeOnFailure } from "../../internal/closeOnFailure.js"
import { orStoreError } from "../sql/mapSqlError.js"

export interface Keeper {
  readonly close: Effect.Effect<void>
  /** Keeps the connection open until the process ends. */
  readonly keep: Effect.Effect<void>
}

/** Keeps connections reachable, since garbage collection would close them. */
const kept = new Set<Scope.CloseableScope>()

export const make = (path: string): Effect.Effect<Keeper, StoreError> =>
  Effect.gen(function* () {
    const scope = yield* Scope.make()
    const connect = Effect.gen(function* () {
      const execute = yield* rawQuery.of(yield* SqliteClient.make({ filename: path, readonly: true, disableWAL: true }))
      yield* execute(`PRAGMA busy_timeout = ${driverTimeout}`)
      // The first read acquires the shared lock, which the connection then keeps.
      yield* execute("SELECT count(*) FROM sqlite_master")
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
