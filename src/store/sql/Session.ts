/**
 * Statements on the connections of a `SqlClient`, without its statement templates: these cost more than the statements, apply
 * the name transforms of the application, and join a transaction of any other client in the calling fiber.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import type * as SqlConnection from "@effect/sql/SqlConnection"
import type { SqlError } from "@effect/sql/SqlError"
import { Context, Effect, FiberRef, Option, Scope } from "effect"
import type { StoreError } from "../../domain/errors.js"
import { retryWhileBusy } from "./busyRetry.js"
import type { Connection, Dialect } from "./Dialect.js"
import { reasonOf, storeError } from "./mapSqlError.js"
import { reserve } from "./reserve.js"

export interface Session {
  /** A connection of the client, unwrapped. */
  readonly connection: SqlConnection.Connection
  readonly dialect: Dialect
  /** Exclusive use of a connection. Inside a transaction of the same client, it is the connection of that transaction. */
  readonly read: <A>(
    operation: string,
    use: (connection: Connection) => Effect.Effect<A, SqlError>
  ) => Effect.Effect<A, StoreError>
  /** Exclusive use of a connection, outside any transaction. */
  readonly reserve: <A, E>(use: (connection: Connection) => Effect.Effect<A, E>) => Effect.Effect<A, E | SqlError>
  /** Dies inside a transaction of the same client. */
  readonly outsideTransaction: Effect.Effect<void>
  /**
   * Runs an effect in a transaction of the client, and repeats the whole effect while the database is busy. Inside a transaction of the
   * client, which alone could be repeated, it is a savepoint.
   */
  readonly transaction: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E | SqlError | StoreError, R>
  /** Uses the connection of the caller's transaction of the same client. */
  readonly join: <A, E>(use: (connection: Connection) => Effect.Effect<A, E>) => Effect.Effect<A, E>
  /** Ends the connections in use: a silent server would be waited for until TCP gives up after a quarter of an hour. */
  readonly disconnect: Effect.Effect<void>
  /** Waits for the end of an open transaction of the client if the client has only one connection. */
  readonly afterTransactions: Effect.Effect<void, SqlError>
  /**
   * Runs `inside` inside a transaction of the same client, and otherwise `outside`, without the transaction of another client
   * in its context: all clients share one tag for their transactions, and every statement would go to that database.
   */
  readonly byTransaction: <A, E>(effects: {
    readonly inside: Effect.Effect<A, E>
    readonly outside: Effect.Effect<A, E>
  }) => Effect.Effect<A, E>
}

const { TransactionConnection } = SqlClient

/** The connection of the transaction that a fiber is inside, for any client. */
export const transactionOf = (context: Context.Context<never>): Option.Option<SqlConnection.Connection> =>
  Option.map(Context.getOption(context, TransactionConnection), ([connection]) => connection)

type IsInside = (context: Context.Context<never>) => boolean

const isBusy = (error: unknown): boolean => reasonOf(error) === "busy"

export const transaction = (
  sql: SqlClient.SqlClient,
  isInside: IsInside,
  begin: "BEGIN" | "BEGIN IMMEDIATE"
): Session["transaction"] => {
  const execute = (statement: string) => (connection: SqlConnection.Connection) =>
    connection.executeUnprepared(statement, [], undefined)
  const within = SqlClient.makeWithTransaction({
    transactionTag: TransactionConnection,
    spanAttributes: [],
    acquireConnection: Effect.flatMap(Scope.make(), (scope) =>
      Effect.map(Scope.extend(reserve(sql), scope), (connection) => [scope, connection] as const)
    ),
    begin: execute(begin),
    savepoint: (connection, id) => execute(`SAVEPOINT charlotte_${id}`)(connection),
    commit: execute("COMMIT"),
    // There is nothing to roll back if it could not begin, or if SQLite has done so; a failure here would hide the first one.
    rollback: (connection) => Effect.ignore(execute("ROLLBACK")(connection)),
    rollbackSavepoint: (connection, id) => execute(`ROLLBACK TO SAVEPOINT charlotte_${id}`)(connection)
  })
  return <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.withFiberRuntime<A, E | SqlError | StoreError, R>(({ currentContext }) => {
      if (isInside(currentContext)) return within(effect)
      // The transaction of another client would be joined: all clients share one tag.
      const outside = Context.omit(TransactionConnection)(currentContext)
      const whole = Effect.locally(within(effect), FiberRef.currentContext, outside)
      return Effect.mapError(retryWhileBusy(whole, undefined, isBusy), (error) =>
        isBusy(error) ? storeError("run a transaction")(error) : error
      )
    })
}

export const byTransaction =
  (isInside: IsInside): Session["byTransaction"] =>
  <A, E>({ inside, outside }: Record<"inside" | "outside", Effect.Effect<A, E>>) =>
    Effect.withFiberRuntime<A, E>(({ currentContext }) => {
      if (isInside(currentContext)) return inside
      return Option.isNone(transactionOf(currentContext))
        ? outside
        : Effect.mapInputContext(outside, (context: Context.Context<never>) =>
            Context.omit(TransactionConnection)(context)
          )
    })

export const outsideTransaction = (isInside: IsInside): Session["outsideTransaction"] =>
  Effect.withFiberRuntime(({ currentContext }) =>
    isInside(currentContext)
      ? Effect.dieMessage(
          "a job manager was called inside a transaction of its own SQL client, where its writes would deadlock; call it outside the transaction"
        )
      : Effect.void
  )
