/**
 * The session on a client of `@effect/sql-pg`, which has a pool of connections.
 */
import type { SqlClient } from "@effect/sql/SqlClient"
import type { Connection as SqlConnection } from "@effect/sql/SqlConnection"
import type { SqlError } from "@effect/sql/SqlError"
import { type Context, Effect, Option, Schema } from "effect"
import { randomUUID } from "node:crypto"
import { StoreError } from "../../domain/errors.js"
import { RealClock } from "../../internal/RealClock.js"
import { retryWhileBusy } from "../sql/busyRetry.js"
import { orStoreError, reasonOf, storeError } from "../sql/mapSqlError.js"
import { reserve as reserveOf } from "../sql/reserve.js"
import { byTransaction, outsideTransaction, type Session, transaction, transactionOf } from "../sql/Session.js"
import { query } from "../sql/statements.js"
import { abandonable, destroy, wrap } from "./PostgresConnection.js"
import * as OwnCursors from "./OwnCursors.js"
import * as PostgresDialect from "./PostgresDialect.js"

/** A session on PostgreSQL; its notices say which process sent them. */
export interface PostgresSession extends Session {
  readonly origin: string
  readonly own: OwnCursors.OwnCursors
}

const selectStatus = query(Schema.Struct({ status: Schema.NullOr(Schema.String) }))

/** Milliseconds between two queries for the outcome of a transaction, and after which they end: its manager has given up by then. */
const outcomePause = 50
const outcomeTimeout = 10_000

const unknown = new StoreError({
  operation: "commit",
  reason: "closed",
  cause: new Error(
    "the connection was lost during a COMMIT, and the server has not said since whether it was committed; try again, with the same idempotency key if it was a start"
  )
})

export const make = (sql: SqlClient): Effect.Effect<PostgresSession, StoreError> =>
  Effect.gen(function* () {
    const origin = randomUUID()
    const own = OwnCursors.make()
    const { now, sleep } = yield* RealClock
    const probe = yield* Effect.scoped(reserveOf(sql)).pipe(retryWhileBusy, orStoreError("open the store"))
    // Each client has a separate class for its connections.
    const connectionClass: unknown = Object.getPrototypeOf(probe)
    const joined = (context: Context.Context<never>) =>
      Option.filter(transactionOf(context), (connection) => Object.getPrototypeOf(connection) === connectionClass)
    const isInside = (context: Context.Context<never>) => Option.isSome(joined(context))

    const outcome: PostgresDialect.Outcome = (xid) =>
      Effect.flatMap(now, (began) => {
        const ask: ReturnType<PostgresDialect.Outcome> = Effect.flatMap(
          Effect.either(
            reserve((connection) => selectStatus(connection, "SELECT pg_xact_status(CAST(? AS xid8)) AS status", [xid]))
          ),
          (answer) => {
            if (answer._tag === "Right") {
              const status = answer.right[0]?.status
              if (status === "committed" || status === "aborted") return Effect.succeed(status)
              if (status !== "in progress") return unknown
            } else if (reasonOf(answer.left) !== "unreachable" && reasonOf(answer.left) !== "busy") return unknown
            // The server has not yet noticed that the connection is gone, or cannot be reached.
            return Effect.flatMap(now, (at) =>
              at - began > outcomeTimeout ? unknown : Effect.zipRight(sleep(outcomePause), ask)
            )
          }
        )
        return ask
      })

    const dialect = PostgresDialect.make({ origin, outcome, own })

    const inUse = new Set<SqlConnection>()
    const reserved = Effect.acquireRelease(
      Effect.tap(reserveOf(sql), (raw) => Effect.sync(() => inUse.add(raw))),
      (raw) => Effect.sync(() => inUse.delete(raw))
    )
    const reserve: Session["reserve"] = (use) =>
      Effect.scoped(Effect.flatMap(reserved, (raw) => use(wrap(raw, dialect, abandonable(raw)))))

    const join: Session["join"] = (use) =>
      Effect.withFiberRuntime(({ currentContext }) =>
        Option.match(joined(currentContext), {
          onNone: () => Effect.dieMessage("there is no transaction to join"),
          // The application has to roll back on the same connection.
          onSome: (raw) => Effect.uninterruptible(use(wrap(raw, dialect)))
        })
      )

    return {
      origin,
      own,
      dialect,
      disconnect: Effect.sync(() => {
        for (const raw of inUse) destroy(raw)
      }),
      connection: probe,
      reserve,
      read: (operation, use) =>
        Effect.withFiberRuntime<Effect.Effect.Success<ReturnType<typeof use>>, SqlError>(({ currentContext }) =>
          isInside(currentContext) ? join(use) : retryWhileBusy(reserve(use))
        ).pipe(Effect.mapError(storeError(operation))),
      transaction: transaction(sql, isInside, "BEGIN"),
      join,
      afterTransactions: Effect.void,
      byTransaction: byTransaction(isInside),
      outsideTransaction: outsideTransaction(isInside)
    }
  })
