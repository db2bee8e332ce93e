/**
 * Connections for locks, apart from those of jobs, whose statements could hold back a renewal.
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

/** One for the locks, one for the list of nodes, one for questions from this node. */
export const size = 3

const isPostgres = (sql: SqlClient): sql is PgClient.PgClient => Predicate.hasProperty(sql, PgClient.TypeId)

/** Whether it still waits for the answer to a statement that was abandoned. */
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
        // The engine keeps times without their zone: where that has daylight saving time, locks would live an hour longer, or not at all.
        onConnect: async (client) => {
          await client.query("SET TIME ZONE 'UTC'")
        }
      })
      // The next statement would wait behind that one until TCP gives up, a quarter of an hour. The pool drops a client that has ended.
      pool.on("release", (_, client) => {
        if (isStuck(client)) void client.end()
      })
      // The next statement finds out that its connection is gone.
      pool.on("error", () => {})
      return pool
    }
    const client = yield* PgClient.fromPool({
      acquire: Effect.acquireRelease(Effect.sync(open), (pool) =>
        Effect.promise(() => pool.end()).pipe(Effect.interruptible, Effect.timeoutOption("1 second"), Effect.ignore)
      )
    }).pipe(Effect.provide(Reactivity.layer))
    // The engine reserves connections, and gives up to wait for one after a while.
    return Object.assign(client, { reserve: reserve(client) })
  })
