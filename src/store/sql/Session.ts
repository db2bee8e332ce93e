/**
 * Statements on the connection of a `SqlClient`, without its statement templates: these cost more than the statements, apply
 * the name transforms of the application, and join a transaction of any other client in the calling fiber.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import type { Connection } from "@effect/sql/SqlConnection"
import { SqlError } from "@effect/sql/SqlError"
import { Context, Effect, Option, Schema } from "effect"
import { StoreError } from "../../domain/errors.js"
import { retryWhileBusy } from "./busyRetry.js"
import { orStoreError, storeError } from "./mapSqlError.js"

export type Value = string | number | null

export interface Session {
  /** The connection of the client, for use within `read` and `reserve` only. */
  readonly connection: Connection
  /** Exclusive use of the connection. Inside a transaction of the same client, it is the connection of that transaction. */
  readonly read: <A>(
    operation: string,
    use: (connection: Connection) => Effect.Effect<A, SqlError>
  ) => Effect.Effect<A, StoreError>
  /** Exclusive use of the connection, outside any transaction. */
  readonly reserve: <A, E>(use: (connection: Connection) => Effect.Effect<A, E>) => Effect.Effect<A, E | SqlError>
  /** Dies inside a transaction of the same client. */
  readonly outsideTransaction: Effect.Effect<void>
  /** Uses the connection of the transaction of the same client that the caller is inside. */
  readonly join: <A, E>(use: (connection: Connection) => Effect.Effect<A, E>) => Effect.Effect<A, E>
  /**
   * Runs `inside` inside a transaction of the same client, and otherwise `outside`, without the transaction of another client
   * in its context: all clients share one tag for their transactions, and every statement would go to that database.
   */
  readonly byTransaction: <A, E>(effects: {
    readonly inside: Effect.Effect<A, E>
    readonly outside: Effect.Effect<A, E>
  }) => Effect.Effect<A, E>
}

const { TransactionConnection, SafeIntegers } = SqlClient

export const make: Effect.Effect<Session, StoreError, SqlClient.SqlClient> = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const dialect = sql.onDialectOrElse({ sqlite: () => "sqlite", orElse: () => "other" })
  if (dialect !== "sqlite") {
    const cause = new Error(
      "RunStore.layer requires an SQLite client; provide Database.layer or a client of @effect/sql-sqlite-node"
    )
    return yield* new StoreError({ operation: "open the store", reason: "other", cause })
  }

  const transactionOf = (context: Context.Context<never>) =>
    Option.map(Context.getOption(context, TransactionConnection), ([connection]) => connection)
  if (Option.isSome(transactionOf(yield* Effect.context<never>()))) {
    return yield* Effect.dieMessage(
      "the store was opened inside a transaction; build its layer outside the transaction"
    )
  }

  // The SQLite client has a single connection, which it lends to one fiber at a time.
  const own = yield* Effect.scoped(sql.reserve).pipe(orStoreError("open the store"))
  const isInside = (context: Context.Context<never>) => Option.contains(transactionOf(context), own)

  // With `SafeIntegers` on, a fiber would change the cached statements of all others to bigint columns.
  const plain = Effect.provideService(SafeIntegers, false)

  const reserve: Session["reserve"] = (use) => plain(Effect.scoped(Effect.flatMap(sql.reserve, use)))

  return {
    connection: own,
    reserve,
    read: (operation, use) =>
      Effect.withFiberRuntime<Effect.Effect.Success<ReturnType<typeof use>>, SqlError>(({ currentContext }) =>
        isInside(currentContext) ? plain(use(own)) : retryWhileBusy(reserve(use))
      ).pipe(Effect.mapError(storeError(operation))),
    join: (use) => plain(use(own)),
    byTransaction: <A, E>({ inside, outside }: Record<"inside" | "outside", Effect.Effect<A, E>>) =>
      Effect.withFiberRuntime<A, E>(({ currentContext }) => {
        if (isInside(currentContext)) return inside
        return Option.isNone(transactionOf(currentContext))
          ? outside
          : Effect.mapInputContext(outside, (context: Context.Context<never>) =>
              Context.omit(TransactionConnection)(context)
            )
      }),
    outsideTransaction: Effect.withFiberRuntime(({ currentContext }) =>
      isInside(currentContext)
        ? Effect.dieMessage(
            "a job manager was called inside a transaction of its own SQL client, where its writes would deadlock; call it outside the transaction"
          )
        : Effect.void
    )
  }
})

/** Decodes rows. An undecodable row fails like a damaged database. */
export const decodeRows = <A, I>(row: Schema.Schema<A, I>) => {
  const decode = Schema.decodeUnknown(Schema.Array(row))
  return (rows: ReadonlyArray<unknown>): Effect.Effect<ReadonlyArray<A>, SqlError> =>
    Effect.mapError(decode(rows), (cause) => new SqlError({ cause, message: "a row cannot be decoded" }))
}

/** Creates a function that runs a statement and decodes its rows. */
export const query = <A, I>(row: Schema.Schema<A, I>) => {
  const decode = decodeRows(row)
  return (
    connection: Connection,
    sql: string,
    params: ReadonlyArray<Value>
  ): Effect.Effect<ReadonlyArray<A>, SqlError> => Effect.flatMap(connection.execute(sql, params, undefined), decode)
}

/** Runs a statement that returns no rows. */
export const execute = (
  connection: Connection,
  sql: string,
  params: ReadonlyArray<Value> = []
): Effect.Effect<void, SqlError> => Effect.asVoid(connection.execute(sql, params, undefined))

/** Rows per INSERT, so that a few prepared statements serve any number of rows. */
const chunks = [64, 32, 16, 8, 4, 2, 1]

/** Creates an insert function for `table (column, …)`, with the SQL texts built once. */
export const inserter = (into: string, columns: number) => {
  const row = `(${Array.from({ length: columns }, () => "?").join(", ")})`
  const statements = chunks.map((size) => ({
    size,
    sql: `INSERT INTO ${into} VALUES ${Array.from({ length: size }, () => row).join(", ")}`
  }))
  const from = (
    connection: Connection,
    rows: ReadonlyArray<ReadonlyArray<Value>>,
    begin: number
  ): Effect.Effect<void, SqlError> => {
    const statement = statements.find(({ size }) => size <= rows.length - begin)
    if (statement === undefined) return Effect.void
    const end = begin + statement.size
    const values = statement.size === 1 ? (rows[begin] ?? []) : rows.slice(begin, end).flat()
    return Effect.flatMap(connection.execute(statement.sql, values, undefined), () => from(connection, rows, end))
  }
  return (connection: Connection, rows: ReadonlyArray<ReadonlyArray<Value>>): Effect.Effect<void, SqlError> =>
    from(connection, rows, 0)
}

/** A JSON column, wrapped, since a decoded `null` would look like a missing value. */
export const JsonText = Schema.transform(Schema.parseJson(), Schema.Struct({ json: Schema.Unknown }), {
  strict: true,
  decode: (json) => ({ json }),
  encode: ({ json }) => json
})
