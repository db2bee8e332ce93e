/**
 * The locks on shards: rows in PostgreSQL, renewed on separate connections, so that statements of jobs cannot delay the renewal.
 */
import { PersistenceError } from "@effect/cluster/ClusterError"
import { RunnerStorage } from "@effect/cluster/RunnerStorage"
import type { ShardId } from "@effect/cluster/ShardId"
import { ShardingConfig } from "@effect/cluster/ShardingConfig"
import * as SqlRunnerStorage from "@effect/cluster/SqlRunnerStorage"
import * as SqlClient from "@effect/sql/SqlClient"
import { SqlError } from "@effect/sql/SqlError"
import { Deferred, Duration, Effect, Option, Predicate, Queue, Schedule, Schema, type Scope } from "effect"
import type { StoreError } from "../../domain/errors.js"
import * as background from "../../internal/background.js"
import * as Permits from "../../internal/Permits.js"
import { asClock } from "../../internal/RealClock.js"
import { deadAfter } from "../../internal/timing.js"
import { closeOnFailure } from "../../internal/closeOnFailure.js"
import { refuseTransactionPooling } from "../../store/postgres/PostgresOwnership.js"
import { retryWhileBusy } from "../../store/sql/busyRetry.js"
import { orStoreError, storeError } from "../../store/sql/mapSqlError.js"
import * as LockPool from "./lockPool.js"

export interface ShardLocks {
  readonly storage: RunnerStorage["Type"]
  /** Releases all shards and takes no more. */
  readonly leave: Effect.Effect<void>
  /** Whether this node certainly still holds its lock on a shard. */
  readonly isFresh: (shard: ShardId) => boolean
  /** The address of the node that holds the lock on each shard. */
  readonly holders: (shards: ReadonlyArray<ShardId>) => Effect.Effect<ReadonlyArray<Option.Option<string>>, StoreError>
}

/** How long a query for the holders of locks may take. */
const queryTimeout = "3 seconds"

/** How long the holders are cached. If a lock has moved since, the run stays with the node on which it is placed. */
const holdersTtl = "500 millis"

const operation = "join the cluster"

const prefix = "charlotte_cluster"
const locks = `${prefix}_locks`
const runners = `${prefix}_runners`

/** An error with the message of the driver's error, which has no code. */
const noAnswer = () => new Error("Connection timed out")

/** Whether an error, or its cause, has one of these codes. */
const hasCode =
  (codes: ReadonlyArray<string>) =>
  (error: unknown): boolean =>
    Predicate.hasProperty(error, "cause")
      ? hasCode(codes)(error.cause)
      : Predicate.hasProperty(error, "code") && codes.includes(String(error.code))

/** The errors when several nodes create the same table at once: a duplicate name, in the catalogue or before. */
const isRace = hasCode(["23505", "42710", "42P07", "XX000"])

/** The error for a missing table. */
const isMissing = hasCode(["42P01"])

const Draining = Schema.Array(Schema.Struct({ address: Schema.String }))
const Holders = Schema.Array(Schema.Struct({ shard_id: Schema.String, address: Schema.String }))

export const make = (
  application: SqlClient.SqlClient,
  address: string
): Effect.Effect<ShardLocks, StoreError, ShardingConfig | Scope.Scope> =>
  Effect.gen(function* () {
    const { shardLockExpiration, shardLockRefreshInterval } = yield* ShardingConfig
    const expiration = Duration.toMillis(shardLockExpiration)
    /** The time after which the engine gives up a renewal and starts another. */
    const interval = Math.min(Duration.toMillis(shardLockRefreshInterval), expiration / 3)
    const clock = yield* asClock
    const sql = yield* LockPool.make(application, 0.6 * interval)
    // This fails here without a connection, where the engine would die.
    yield* sql`SELECT 1`
    yield* retryWhileBusy(refuseTransactionPooling(application, operation))

    const inner = yield* closeOnFailure(SqlRunnerStorage.make({ prefix })).pipe(
      Effect.provideService(SqlClient.SqlClient, sql),
      Effect.retry({ while: isRace, schedule: Schedule.spaced("50 millis"), times: 20 })
    )

    /** When the statement that last acquired or renewed the lock on each shard was sent. */
    const renewedAt = new Map<string, number>()
    const renewing = (renew: Effect.Effect<Array<ShardId>, PersistenceError>) =>
      Effect.suspend(() => {
        const at = clock.unsafeCurrentTimeMillis()
        return renew.pipe(
          Effect.tap((renewed) =>
            Effect.sync(() => {
              for (const shard of renewed) renewedAt.set(shard.toString(), at)
            })
          )
        )
      })

    // The engine sends the statements of several fibers on one connection at once, which future versions of the driver refuse.
    const inTurn = Permits.make(1)

    /**
     * Releases shards in batches. The engine commits each release separately: when a node joins, the others would have no time
     * left to renew the locks that they keep.
     */
    const released = yield* Queue.unbounded<readonly [shard: string, done: Deferred.Deferred<void, PersistenceError>]>()
    const releaseAll = Effect.gen(function* () {
      const first = yield* Queue.take(released)
      const batch = [first, ...(yield* inTurn(Queue.takeAll(released)))]
      const shards = batch.map(([shard]) => shard)
      const result =
        yield* sql`DELETE FROM ${sql(locks)} WHERE address = ${address} AND ${sql.in("shard_id", shards)}`.pipe(
          Effect.asVoid,
          Effect.timeout(0.8 * interval),
          PersistenceError.refail,
          inTurn,
          Effect.exit
        )
      for (const [, done] of batch) yield* Deferred.done(done, result)
    })
    yield* releaseAll.pipe(Effect.forever, background.fork)
    const release = (shard: ShardId) =>
      Effect.gen(function* () {
        const done = yield* Deferred.make<void, PersistenceError>()
        yield* Queue.offer(released, [shard.toString(), done] as const)
        yield* Deferred.await(done)
      })

    /** Addresses of nodes that take no jobs of any kind: the other nodes share the shards. If all are draining, they keep them. */
    const draining = sql`
      WITH alive AS (
        SELECT address, draining FROM charlotte_nodes
        WHERE seen_at > extract(epoch FROM clock_timestamp()) * 1000 - ${deadAfter}
      )
      SELECT address FROM alive GROUP BY address
      HAVING min(draining) = 1 AND EXISTS (SELECT 1 FROM alive WHERE draining = 0)`.pipe(
      Effect.flatMap(Schema.decodeUnknown(Draining)),
      Effect.map((rows) => new Set(rows.map(({ address }) => address))),
      // The store has not created its tables yet.
      Effect.catchIf(isMissing, () => Effect.succeed(new Set<string>())),
      PersistenceError.refail
    )
    const getRunners = Effect.zipWith(inner.getRunners, draining, (runners, draining) =>
      runners.map(([runner, isHealthy]) => {
        const { host, port } = runner.address
        return [runner, isHealthy && !draining.has(`${host}:${port}`)] as const
      })
    )

    /**
     * Set when this node leaves. The engine would leave the list of nodes before it releases its shards, and nodes that read the
     * list in between would try in vain to take them, and wait. So one statement does both, and the engine, which is closed next,
     * must not join again.
     */
    let isLeaving = false
    const [holders, forgetHolders] = yield* sql`
      SELECT shard_id, address FROM ${sql(locks)}
      WHERE acquired_at >= now() - make_interval(secs => ${Math.ceil(expiration / 1_000)})`.pipe(
      Effect.flatMap(Schema.decodeUnknown(Holders)),
      Effect.map((rows) => new Map(rows.map(({ address, shard_id }) => [shard_id, address]))),
      retryWhileBusy,
      Effect.disconnect,
      Effect.timeoutFail({
        duration: queryTimeout,
        onTimeout: () => new SqlError({ message: "no answer", cause: noAnswer() })
      }),
      Effect.mapError(storeError("find nodes")),
      Effect.cachedInvalidateWithTTL(holdersTtl)
    )

    const service: ShardLocks = {
      storage: RunnerStorage.of({
        ...inner,
        getRunners,
        register: (runner, isHealthy) =>
          Effect.suspend(() => (isLeaving ? Effect.never : inner.register(runner, isHealthy))),
        acquire: (runner, shards) =>
          inTurn(Effect.suspend(() => (isLeaving ? Effect.succeed([]) : renewing(inner.acquire(runner, shards))))),
        refresh: (runner, shards) => inTurn(renewing(inner.refresh(runner, shards))),
        release: (_, shard) => release(shard),
        releaseAll: (runner) => inTurn(inner.releaseAll(runner))
      }),
      leave: Effect.sync(() => void (isLeaving = true)).pipe(
        Effect.zipRight(
          inTurn(
            sql`
              WITH left_cluster AS (DELETE FROM ${sql(runners)} WHERE address = ${address})
              DELETE FROM ${sql(locks)} WHERE address = ${address}`
          )
        ),
        Effect.disconnect,
        Effect.interruptible,
        Effect.timeout("1 second"),
        Effect.ignoreLogged
      ),
      isFresh: (shard) => clock.unsafeCurrentTimeMillis() - (renewedAt.get(shard.toString()) ?? -Infinity) < expiration,
      holders: (shards) =>
        Effect.map(
          Effect.tapError(holders, () => forgetHolders),
          (found) => shards.map((shard) => Option.fromNullable(found.get(shard.toString())))
        )
    }
    return service
  }).pipe(orStoreError(operation))
