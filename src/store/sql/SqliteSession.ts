/**
 * The session on an SQLite client, which has a single connection and lends it to one fiber at a time.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import { type Context, Effect, Option } from "effect"
import type { StoreError } from "../../domain/errors.js"
import { retryWhileBusy } from "./busyRetry.js"
import type { Connection } from "./Dialect.js"
import { orStoreError, storeError } from "./mapSqlError.js"
import { byTransaction, outsideTransaction, type Session, transactionOf } from "./Session.js"
import { dialect } from "./SqliteDialect.js"

export const make = (sql: SqlClient.SqlClient): Effect.Effect<Session, StoreError> =>
  Effect.gen(function* () {
    const own = yield* Effect.scoped(sql.reserve).pipe(orStoreError("open the store"))
    const connection: Connection = { ...own, dialect }
    const isInside = (context: Context.Context<never>) => Option.contains(transactionOf(context), own)

    // With `SafeIntegers` on, a fiber would change the cached statements of all others to bigint columns.
    const plain = Effect.provideService(SqlClient.SafeIntegers, false)

    const reserve: Session["reserve"] = (use) =>
      plain(Effect.scoped(Effect.flatMap(sql.reserve, () => use(connection))))

    return {
      connection: own,
      reserve,
      read: (operation, use) =>
        Effect.withFiberRuntime<Effect.Effect.Success<ReturnType<typeof use>>, SqlError>(({ currentContext }) =>
          isInside(currentContext) ? plain(use(connection)) : retryWhileBusy(reserve(use))
        ).pipe(Effect.mapError(storeError(operation))),
      join: (use) => plain(use(connection)),
      // An open transaction keeps the connection until it ends.
      disconnect: Effect.void,
      afterTransactions: Effect.scoped(Effect.asVoid(sql.reserve)),
      byTransaction: byTransaction(isInside),
      outsideTransaction: outsideTransaction(isInside)
    }
  })
