/**
 * The session on an SQLite client, which has a single connection and lends it to one fiber at a time.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import { type Context, Effect, Option } from "effect"
import type { StoreError } from "../../domain/errors.js"
import * as Permits from "../../internal/Permits.js"
import { retryWhileBusy } from "../sql/busyRetry.js"
import type { Connection, Dialect } from "../sql/Dialect.js"
import { orStoreError, storeError } from "../sql/mapSqlError.js"
import { reserve as reserveOf } from "../sql/reserve.js"
import { byTransaction, outsideTransaction, type Session, transaction, transactionOf } from "../sql/Session.js"
import * as SqliteDialect from "./SqliteDialect.js"

export const make = (
  sql: SqlClient.SqlClient,
  dialect: Dialect = SqliteDialect.dialect
): Effect.Effect<Session, StoreError> =>
  Effect.gen(function* () {
    const own = yield* Effect.scoped(reserveOf(sql)).pipe(orStoreError("open the store"))
    const connection: Connection = { ...own, dialect }
    const isInside = (context: Context.Context<never>) => Option.contains(transactionOf(context), own)

    /**
     * Runs an effect uninterruptibly: an interrupted statement stays in the client's cache as still being prepared, and every later use of
     * it waits for ever, with the connection. With `SafeIntegers` on, a fiber would change the cached statements of all others to
     * bigint columns.
     */
    const undisturbed = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
      Effect.uninterruptible(Effect.provideService(effect, SqlClient.SafeIntegers, false))

    const join: Session["join"] = (use) => undisturbed(use(connection))
    const reserve: Session["reserve"] = (use) =>
      undisturbed(Effect.scoped(Effect.flatMap(reserveOf(sql), () => use(connection))))

    /**
     * Transactions that try again while another process has the lock would overtake each other on the one connection, and use up each
     * other's time: with 40 at once beside three processes that write, up to a third failed as busy, and all took twice as long.
     */
    const inTurn = Permits.make(1)
    const inTransaction = transaction(sql, isInside, "BEGIN IMMEDIATE")

    return {
      connection: own,
      dialect,
      reserve,
      read: (operation, use) =>
        Effect.withFiberRuntime<Effect.Effect.Success<ReturnType<typeof use>>, SqlError>(({ currentContext }) =>
          isInside(currentContext) ? join(use) : retryWhileBusy(reserve(use))
        ).pipe(Effect.mapError(storeError(operation))),
      transaction: <A, E, R>(effect: Effect.Effect<A, E, R>) =>
        Effect.withFiberRuntime<A, E | SqlError | StoreError, R>(({ currentContext }) =>
          isInside(currentContext) ? inTransaction(effect) : inTurn(inTransaction(effect))
        ),
      join,
      // An open transaction keeps the connection until it ends.
      disconnect: Effect.void,
      afterTransactions: Effect.asVoid(Effect.scoped(reserveOf(sql))),
      byTransaction: byTransaction(isInside),
      outsideTransaction: outsideTransaction(isInside)
    }
  })
