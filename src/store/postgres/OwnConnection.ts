/**
 * Connections separate from the pool of the client: a listener has to keep one, and a session lock lives as long as its connection.
 */
import type { PgClient } from "@effect/sql-pg/PgClient"
import type { SqlClient } from "@effect/sql/SqlClient"
import { SqlError } from "@effect/sql/SqlError"
import { Deferred, Effect, FiberId, Schema, type Scope } from "effect"
import type { ClientConfig } from "pg"
import { connectionConfig } from "./connectionConfig.js"
import { numberParameters, rowsOf } from "./PostgresConnection.js"

export interface OwnConnection {
  readonly query: <A, I>(
    row: Schema.Schema<A, I>,
    sql: string,
    params?: ReadonlyArray<string | number>
  ) => Effect.Effect<ReadonlyArray<A>, SqlError>
  /** Calls `onNotice` for each notice on a channel. */
  readonly listen: (channel: string, onNotice: (payload: string) => void) => Effect.Effect<void, SqlError>
  /** Returns when the connection is gone. */
  readonly gone: Effect.Effect<void>
}

/** How long connecting may take, in milliseconds. */
const connectTimeout = 5_000

const isPostgres = (sql: SqlClient): sql is PgClient => "config" in sql

const configOf = (sql: SqlClient): ClientConfig =>
  isPostgres(sql) ? { ...connectionConfig(sql), connectionTimeoutMillis: connectTimeout } : {}

const failed = (message: string) => (cause: unknown) => new SqlError({ cause, message })

/** Loads the driver with the first connection: it is an optional package, which applications on SQLite do not need. */
const driver = Effect.tryPromise({
  try: () => import("pg"),
  catch: failed("pg, the driver of PostgreSQL, cannot be loaded")
})

export const make = (sql: SqlClient, purpose: string): Effect.Effect<OwnConnection, SqlError, Scope.Scope> =>
  Effect.gen(function* () {
    const { Client } = yield* driver
    const gone = Deferred.unsafeMake<void>(FiberId.none)
    const end = () => Deferred.unsafeDone(gone, Effect.void)
    const client = yield* Effect.acquireRelease(
      Effect.tryPromise({
        try: async () => {
          const client = new Client({ ...configOf(sql), application_name: `charlotte ${purpose}` })
          client.on("error", end)
          client.on("end", end)
          await client.connect()
          return client
        },
        catch: failed("cannot connect")
      }),
      // The close is bounded, since the server may not respond.
      (client) =>
        Effect.promise(() => client.end()).pipe(Effect.interruptible, Effect.timeoutOption(1_000), Effect.ignore)
    )
    const run = (text: string, params: ReadonlyArray<string | number>) =>
      Effect.tryPromise({
        try: () => client.query(numberParameters(text), [...params]),
        catch: failed("cannot execute a statement")
      })
    return {
      gone: Deferred.await(gone),
      query: (row, text, params = []) =>
        Effect.flatMap(run(text, params), (result) =>
          Effect.mapError(Schema.decodeUnknown(Schema.Array(row))(rowsOf(result)), failed("a row cannot be decoded"))
        ),
      listen: (channel, onNotice) =>
        Effect.suspend(() => {
          client.on("notification", (notice) => {
            if (notice.channel === channel) onNotice(notice.payload ?? "")
          })
          return Effect.asVoid(run(`LISTEN ${client.escapeIdentifier(channel)}`, []))
        })
    }
  })
