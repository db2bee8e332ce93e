/**
 * A pool of connections for locks, separate from the connections of jobs, whose statements could delay a renewal.
 */
import * as Reactivity from "@effect/experimental/Reactivity"
import * as PgClient from "@effect/sql-pg/PgClient"
import type { SqlClient } from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import { Effect, Predicate, type Scope } from "effect"
import { type ClientBase, Pool } from "pg"
import { StoreError } from "../../domain/errors.js"
import { connectionConfig } from "../../store/postgres/connectionConfig.js"
import { reserve } from "../../store/sql/reserve.js"

/** One connection each for the locks, the list of nodes, and queries from this node. */
export const size = 3

const isPostgres = (sql: SqlClient): sql is PgClient.PgClient => Predicate.hasProperty(sql, PgClient.TypeId)

/** Whether a connection still waits for the response to an abandoned statement. */
const isStuck = (client: ClientBase): boolean =>
  Predicate.hasProperty(client, "_activeQuery") && Predicate.isNotNullable(client._activeQuery)

export const make = (
  application: SqlClient,
  connectTimeout: number
): Effect.Effect<PgClient.PgClient, StoreError | SqlError, Scope.Scope> =>
  Effect.gen(function* () {
    if (!isPostgres(application)) {
      return yield* new StoreError({
        operation: "join the cluster",
        reason: "invalid",
        cause: new Error("a cluster needs a PostgreSQL database")
      })
    }
    const open = () => {
      const pool = new Pool({
        ...connectionConfig(application),
        max: size,
        connectionTimeoutMillis: connectTimeout,
        application_name: "charlotte cluster",
        // The engine keeps times without a time zone: under daylight saving time, locks would live an hour longer, or not at all.
        onConnect: async (client) => {
          await client.query("SET TIME ZONE 'UTC'")
        }
      })
      // A stuck connection would block the next statement until TCP gives up after a quarter of an hour. The pool drops an ended client.
      pool.on("release", (_, client) => {
        if (isStuck(client)) void client.end()
      })
      // The next statement detects that its connection is gone.
      pool.on("error", () => {})
      return pool
    }
    const client = yield* PgClient.fromPool({
      acquire: Effect.acquireRelease(Effect.sync(open), (pool) =>
        Effect.promise(() => pool.end()).pipe(Effect.interruptible, Effect.timeoutOption("1 second"), Effect.ignore)
      )
    }).pipe(Effect.provide(Reactivity.layer))
    // The engine reserves connections, and stops waiting for one after a while.
    return Object.assign(client, { reserve: reserve(client) })
  })
