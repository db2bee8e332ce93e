/**
 * Acquires the ownership of a kind by a session-level advisory lock on a separate connection: the server releases it when that
 * connection ends. The record names the owner. An owner whose connection is gone learns of it later than the server does, so it
 * holds a lease as well: without a response for `lease` it releases its jobs, and a successor that cannot see that the process
 * of the record is gone waits for `deadAfter`.
 */
import type { SqlClient } from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import { Cause, Deferred, Effect, Exit, FiberId, Option, Schema, Scope } from "effect"
import { AlreadyManaged, StoreError } from "../../domain/errors.js"
import * as background from "../../internal/background.js"
import { MachineRef } from "../../internal/Machine.js"
import { KernelRef } from "../../internal/ProcessIdentity.js"
import { RealClock } from "../../internal/RealClock.js"
import type { ClusterStore, Owner, OwnerStore } from "../port/RunStoreService.js"
import { closeOnFailure } from "../../internal/closeOnFailure.js"
import { deadAfter, heartbeatInterval, lease, leaseCheckInterval } from "../../internal/timing.js"
import { alreadyManaged } from "../rules/alreadyManaged.js"
import { retryWhileBusy } from "../sql/busyRetry.js"
import { storeError } from "../sql/mapSqlError.js"
import { reserve } from "../sql/reserve.js"
import * as statements from "../sql/statements.js"
import { ownerKey } from "./PostgresDialect.js"
import * as OwnConnection from "./OwnConnection.js"

/** How long a new owner may take from its lock to its record. */
const recordTimeout = 5_000
const retryPause = 50

const operation = "acquire ownership"

const Lock = Schema.Struct({ taken: Schema.Boolean })

const tryLock = (connection: OwnConnection.OwnConnection, kind: string) =>
  Effect.map(
    connection.query(Lock, `SELECT pg_try_advisory_lock(${ownerKey}) AS taken`, [kind]),
    ([row]) => row?.taken === true
  )

const selectBackend = "SELECT pg_backend_pid() AS pid"
const Backend = Schema.Struct({ pid: Schema.Number })
const queryBackend = statements.query(Backend)

/** How often two connections are compared, since other callers use the pool in between. */
const comparisons = 3

/**
 * Fails if a pooler in between, such as PgBouncer, gives each transaction any free connection to the server: two connections
 * that are open at the same time share one there, or one changes to another, so a lock belongs to no session, and notices
 * reach none.
 */
export const refuseTransactionPooling = (sql: SqlClient, operation: string) =>
  Effect.gen(function* () {
    const { query } = yield* OwnConnection.make(sql, "check of a pooler")
    const [first] = yield* query(Backend, selectBackend)
    for (let n = 0; n < comparisons; n++) {
      const [own] = yield* query(Backend, selectBackend)
      const [other] = yield* Effect.scoped(
        Effect.flatMap(reserve(sql), (connection) => queryBackend(connection, selectBackend, []))
      )
      if (own?.pid === first?.pid && own?.pid !== other?.pid) continue
      const cause = new Error(
        "a pooler in front of the server shares its connections between transactions; set pool_mode = session for this database, or connect to the server itself"
      )
      return yield* new StoreError({ operation, reason: "other", cause })
    }
  }).pipe(Effect.scoped)

interface Held {
  readonly connection: OwnConnection.OwnConnection
  readonly scope: Scope.CloseableScope
}

export const acquire =
  (
    sql: SqlClient,
    owners: Omit<OwnerStore, "acquire">,
    nodes: ClusterStore["nodes"],
    disconnect: Effect.Effect<void>
  ): OwnerStore["acquire"] =>
  ({ id, kind }) =>
    Effect.gen(function* () {
      const kernel = yield* KernelRef
      const { now, sleep } = yield* RealClock
      const own: Owner = { id, kind, process: kernel.self, lock: undefined, machine: yield* MachineRef }
      const lost = Deferred.unsafeMake<void>(FiberId.none)

      /** A new connection that holds the lock; undefined if another process holds it. */
      const lockOn = (scope: Scope.Scope) =>
        Effect.gen(function* () {
          const connection = yield* OwnConnection.make(sql, `owner of ${kind}`)
          const taken = yield* tryLock(connection, kind)
          return taken ? connection : undefined
        }).pipe(Scope.extend(scope))

      /** Takes the lock, in a scope that is closed if another process holds it. */
      const take: Effect.Effect<Held | undefined, SqlError> = Effect.uninterruptible(
        Effect.gen(function* () {
          const scope = yield* Scope.make()
          const connection = yield* Effect.onError(lockOn(scope), (cause) => Scope.close(scope, Exit.failCause(cause)))
          if (connection !== undefined) return { connection, scope }
          yield* Scope.close(scope, Exit.void)
          return undefined
        })
      )

      /** Whether the process is certainly gone. A process on another machine, or in another container, cannot be seen. */
      const isGone = ({ process }: Owner) =>
        process.bootId === kernel.self.bootId && process.pidNamespace === kernel.self.pidNamespace
          ? Effect.map(kernel.isAlive(process), (isAlive) => !isAlive)
          : Effect.succeed(false)

      const takeFirst = (since: number): Effect.Effect<Held, AlreadyManaged | StoreError> =>
        Effect.gen(function* () {
          const locked = yield* retryWhileBusy(take).pipe(Effect.mapError(storeError(operation)))
          if (locked !== undefined) return locked
          const found = yield* owners.get(kind)
          const isLate = (yield* now) - since > recordTimeout
          // The server takes a moment to notice that the connection of a process is gone.
          if (Option.isSome(found) && (isLate || !(yield* isGone(found.value)))) {
            return yield* alreadyManaged(found.value)
          }
          if (isLate) {
            const cause = new Error(
              `a process holds the lock of kind "${kind}" and has not recorded itself as the owner; wait until it exits, or stop it, and try again`
            )
            return yield* new StoreError({ operation, reason: "busy", cause })
          }
          yield* sleep(retryPause)
          return yield* takeFirst(since)
        })

      // The check precedes the lock, which would stay with the pooler.
      yield* retryWhileBusy(refuseTransactionPooling(sql, operation))
      let held: Held = yield* Effect.flatMap(now, takeFirst)
      yield* Effect.addFinalizer(() => Effect.suspend(() => Scope.close(held.scope, Exit.void)))

      /** Waits until the previous owner, whose lock is free, has released its jobs. */
      const awaitPredecessor = (since: number): Effect.Effect<void, StoreError> =>
        Effect.gen(function* () {
          const found = yield* owners.get(kind)
          if (Option.isNone(found)) return
          if (yield* isGone(found.value)) return
          if ((yield* now) - since >= deadAfter) return
          yield* sleep(leaseCheckInterval)
          yield* awaitPredecessor(since)
        })
      yield* Effect.flatMap(now, awaitPredecessor)

      // While this process holds the lock, no node can join.
      const node = (yield* nodes(kind)).find(({ isAlive }) => isAlive)
      if (node !== undefined) {
        return yield* new AlreadyManaged({ kind, pid: node.pid, machine: node.machine, node: node.address })
      }
      const before = yield* owners.get(kind)
      yield* Effect.addFinalizer(() => Effect.ignoreLogged(owners.release(own)))
      if (!(yield* owners.claim(own, before))) {
        return yield* new StoreError({
          operation,
          reason: "busy",
          cause: new Error(`the record of the owner of kind "${kind}" was changed meanwhile; try again`)
        })
      }

      let answeredAt = yield* now
      const answered = <A>(question: Effect.Effect<A, SqlError | StoreError>) =>
        Effect.flatMap(now, (asked) => Effect.tap(question, () => Effect.sync(() => void (answeredAt = asked))))

      const ping = Effect.suspend(() => answered(held.connection.query(Schema.Unknown, "SELECT 1")))

      /** Replaces a connection that is gone. Its session may survive at the server, and keep the lock. */
      const takeAgain = Effect.gen(function* () {
        const retaken = yield* take
        const found = yield* owners.get(kind)
        if (!Option.exists(found, (owner) => owner.id === id)) {
          if (retaken !== undefined) yield* Scope.close(retaken.scope, Exit.void)
          yield* Deferred.succeed(lost, undefined)
        } else if (retaken !== undefined) {
          yield* Scope.close(held.scope, Exit.void)
          held = retaken
          yield* ping
        }
      })

      const renew = Effect.catchAllCause(ping, (cause) =>
        Cause.isInterrupted(cause) ? Effect.interrupt : Effect.ignore(takeAgain)
      )
      const watch = Effect.flatMap(now, (at) =>
        at - answeredAt > lease ? Deferred.succeed(lost, undefined) : sleep(leaseCheckInterval)
      )
      for (const step of [Effect.zipRight(renew, sleep(heartbeatInterval)), watch]) {
        yield* Effect.zipRight(step, Deferred.isDone(lost)).pipe(
          Effect.repeat({ until: (isLost) => isLost }),
          background.fork
        )
      }
      return { lost: Effect.zipRight(Deferred.await(lost), disconnect) }
    }).pipe(
      closeOnFailure,
      Effect.mapError((error) => (error._tag === "AlreadyManaged" ? error : storeError(operation)(error)))
    )
