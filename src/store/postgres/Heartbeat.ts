/**
 * Heartbeats of the nodes of a process, on a separate connection: the pool may be in use for longer than the lease, and a node
 * without a heartbeat releases its jobs.
 */
import type { SqlClient } from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import { Cause, Duration, Effect, Exit, Option, Ref, Schema, Scope } from "effect"
import type { StoreError } from "../../domain/errors.js"
import * as Permits from "../../internal/Permits.js"
import * as race from "../../internal/race.js"
import * as runningTime from "../../internal/runningTime.js"
import { heartbeatTimeout } from "../../internal/timing.js"
import { storeError } from "../sql/mapSqlError.js"
import * as OwnConnection from "./OwnConnection.js"

interface Open {
  readonly connection: OwnConnection.OwnConnection
  readonly scope: Scope.CloseableScope
}

/** In running time: after a pause of this process, an answer may have arrived that was not read yet. */
const late = Effect.zipRight(
  runningTime.sleep(Duration.millis(heartbeatTimeout)),
  new Cause.TimeoutException(`no answer within ${heartbeatTimeout} ms`)
)

/** Runs a statement, and returns whether it has found a row. */
export type Heartbeat = (statement: string, id: string) => Effect.Effect<boolean, StoreError>

export const make = (sql: SqlClient): Effect.Effect<Heartbeat, never, Scope.Scope> =>
  Effect.gen(function* () {
    const current = yield* Ref.make(Option.none<Open>())
    const inTurn = Permits.make(1)
    const close = Effect.flatMap(Ref.getAndSet(current, Option.none()), (open) =>
      Option.match(open, { onNone: () => Effect.void, onSome: ({ scope }) => Scope.close(scope, Exit.void) })
    )
    yield* Effect.addFinalizer(() => close)

    const open: Effect.Effect<Open, SqlError> = Effect.uninterruptible(
      Effect.gen(function* () {
        const known = yield* Ref.get(current)
        if (Option.isSome(known)) return known.value
        const scope = yield* Scope.make()
        const connection = yield* OwnConnection.make(sql, "heartbeat").pipe(
          Scope.extend(scope),
          Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause)))
        )
        yield* Ref.set(current, Option.some({ connection, scope }))
        return { connection, scope }
      })
    )
    return (statement, id) =>
      Effect.flatMap(open, ({ connection }) => connection.query(Schema.Unknown, statement, [id])).pipe(
        Effect.map((rows) => rows.length > 0),
        (answered) => race.first<boolean, SqlError | Cause.TimeoutException, never>([answered, late]),
        Effect.tapErrorCause(() => close),
        inTurn,
        Effect.mapError(storeError("renew a node"))
      )
  })
