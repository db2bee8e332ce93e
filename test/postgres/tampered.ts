/**
 * A client of PostgreSQL whose statements a test changes, or holds up, on their way to the server.
 */
import * as Reactivity from "@effect/experimental/Reactivity"
import * as PgClient from "@effect/sql-pg/PgClient"
import * as SqlClient from "@effect/sql/SqlClient"
import { RunStore } from "charlotte"
import { Deferred, Effect, Layer } from "effect"
import { Pool } from "pg"

export interface Tampering {
  /** What is sent instead of a statement. */
  readonly rewrite?: (sql: string) => string
}

export interface Held {
  /** Returns when the statement has come. */
  readonly reached: Effect.Effect<void>
  readonly release: Effect.Effect<void>
}

/** A pool, and what holds up the next statement in which `matching` is found. */
const makePool = (url: string, { rewrite = (sql) => sql }: Tampering) => {
  const pool = new Pool({ connectionString: url })
  let next: { readonly matching: RegExp; readonly reached: () => void; readonly released: Promise<void> } | undefined
  pool.on("error", () => undefined)
  pool.on("connect", (client) => {
    const query = client.query.bind(client)
    const tampered = (statement: unknown, ...rest: ReadonlyArray<unknown>): unknown => {
      const send = (): unknown =>
        Reflect.apply(query, client, [typeof statement === "string" ? rewrite(statement) : statement, ...rest])
      if (typeof statement !== "string" || next === undefined || !next.matching.test(statement)) return send()
      const { reached, released } = next
      next = undefined
      reached()
      return void released.then(send)
    }
    Object.assign(client, { query: tampered })
  })
  const hold = (matching: RegExp): Effect.Effect<Held> =>
    Effect.gen(function* () {
      const reached = yield* Deferred.make<void>()
      const release = yield* Deferred.make<void>()
      const released = Effect.runPromise(Deferred.await(release))
      next = { matching, released, reached: () => Deferred.unsafeDone(reached, Effect.void) }
      return { reached: Deferred.await(reached), release: Effect.asVoid(Deferred.succeed(release, undefined)) }
    })
  return { pool, hold }
}

/** A store and its client on the database of that URL, as another process has them. */
export const open = (url: string, tampering: Tampering = {}) =>
  Effect.gen(function* () {
    const { hold, pool } = makePool(url, tampering)
    const client = Layer.scoped(
      SqlClient.SqlClient,
      PgClient.fromPool({
        acquire: Effect.acquireRelease(Effect.succeed(pool), () => Effect.promise(() => pool.end()))
      })
    ).pipe(Layer.provide(Reactivity.layer))
    const context = yield* Layer.build(RunStore.layer.pipe(Layer.provideMerge(client)))
    return { hold, context }
  }).pipe(Effect.orDie)
