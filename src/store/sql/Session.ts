/**
 * Statements on the connection of an SQL client. They go past its templates: those cost more than the statements
 * themselves, rename columns where an application has set transforms, and follow a transaction of any other client that
 * happens to be open in the calling fiber.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import type { Connection } from "@effect/sql/SqlConnection"
import { SqlError } from "@effect/sql/SqlError"
import { Context, Effect, Either, Option, type ParseResult, Schema, Scope } from "effect"
import { StoreError } from "../../domain/errors.js"
import { retryWhileBusy } from "./busyRetry.js"
import { orStoreError, storeError } from "./mapSqlError.js"
import { withContext } from "../WithContext.js"

export type Value = string | number | null

export interface Session {
  /** The connection of the client; to be used in `read` and `reserve` only. */
  readonly connection: Connection
  /** Uses the connection, alone. Inside a transaction of the same client that is the connection of the transaction. */
  readonly read: <A>(
    operation: string,
    use: (connection: Connection) => Effect.Effect<A, SqlError>
  ) => Effect.Effect<A, StoreError>
  /** Uses the connection, alone and outside any transaction. */
  readonly reserve: <A, E>(use: (connection: Connection) => Effect.Effect<A, E>) => Effect.Effect<A, E | SqlError>
  /** Dies inside a transaction of the same client. */
  readonly outsideTransaction: Effect.Effect<void>
}

const { TransactionConnection, SafeIntegers } = SqlClient

export const make: Effect.Effect<Session, StoreError, SqlClient.SqlClient> = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const dialect = sql.onDialectOrElse({ sqlite: () => "sqlite", orElse: () => "other" })
  if (dialect !== "sqlite") {
    const cause = new Error("RunStore.layer needs a SqlClient of SQLite, such as Database.layer gives")
    return yield* new StoreError({ operation: "open the store", reason: "other", cause })
  }

  const transactionOf = (context: Context.Context<never>) =>
    Option.map(Context.getOption(context, TransactionConnection), ([connection]) => connection)
  if (Option.isSome(transactionOf(yield* Effect.context<never>()))) {
    return yield* Effect.dieMessage("the store is opened inside a transaction; build its layer outside")
  }

  // There is one: SQLite's client hands out the same connection to everybody, one at a time.
  const own = yield* Effect.scoped(sql.reserve).pipe(orStoreError("open the store"))
  const isInside = (context: Context.Context<never>) => Option.contains(transactionOf(context), own)

  // With the option on, a caller's fiber would turn the columns of a cached statement into bigints for everybody.
  const plain = Effect.provideService(SafeIntegers, false)

  // As `plain` and `Effect.scoped` do it, in a context of its own: that of a request is large, and each change copies it.
  const alone = Context.make(SafeIntegers, false)
  const reserve: Session["reserve"] = (use) =>
    Effect.acquireUseRelease(
      Scope.make(),
      (scope) => withContext(Effect.flatMap(sql.reserve, use), () => Context.add(alone, Scope.Scope, scope)),
      Scope.close
    )

  return {
    connection: own,
    reserve,
    read: (operation, use) =>
      Effect.withFiberRuntime<Effect.Effect.Success<ReturnType<typeof use>>, SqlError>(({ currentContext }) =>
        isInside(currentContext) ? plain(use(own)) : retryWhileBusy(reserve(use))
      ).pipe(Effect.mapError(storeError(operation))),
    outsideTransaction: Effect.withFiberRuntime(({ currentContext }) =>
      isInside(currentContext)
        ? Effect.dieMessage(
            "a job manager was called inside a transaction of its own SQL client, where its writes would wait for that transaction for ever; call it outside"
          )
        : Effect.void
    )
  }
})

export const unreadable = "a row is not as it was written"

/** Rows, by what decodes one. One that cannot be read is a failure of the database, as if it were damaged. */
export const decoded =
  <A>(decode: (row: unknown) => Either.Either<A, ParseResult.ParseError>) =>
  (rows: ReadonlyArray<unknown>): Effect.Effect<ReadonlyArray<A>, SqlError> => {
    const decoded: Array<A> = []
    for (const row of rows) {
      const read = decode(row)
      if (Either.isLeft(read)) return new SqlError({ cause: read.left, message: unreadable })
      decoded.push(read.right)
    }
    return Effect.succeed(decoded)
  }

/** The rows of a statement, by what decodes one. */
export const queryBy = <A>(decode: (row: unknown) => Either.Either<A, ParseResult.ParseError>) => {
  const decodeAll = decoded(decode)
  return (
    connection: Connection,
    sql: string,
    params: ReadonlyArray<Value>
  ): Effect.Effect<ReadonlyArray<A>, SqlError> => Effect.flatMap(connection.execute(sql, params, undefined), decodeAll)
}

export const query = <A, I>(row: Schema.Schema<A, I>) => queryBy(Schema.decodeUnknownEither(row))

/** A statement without rows. */
export const execute = (
  connection: Connection,
  sql: string,
  params: ReadonlyArray<Value> = []
): Effect.Effect<void, SqlError> => Effect.asVoid(connection.execute(sql, params, undefined))

/** Rows in one statement, largest first: a handful of prepared statements serves any number of rows, most numbers in two or three. */
const chunks = [64, 32, 16, 8, 4, 2, 1]

/**
 * What inserts rows into a table whose columns are named behind it: `table (column, …)`. The texts of its statements are made
 * once.
 */
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

/** A column of JSON, in a wrapper: JSON that is `null` would look like no value. */
export const JsonText = Schema.transform(Schema.parseJson(), Schema.Struct({ json: Schema.Unknown }), {
  strict: true,
  decode: (json) => ({ json }),
  encode: ({ json }) => json
})
