/**
 * The engine on `@effect/cluster` and PostgreSQL. That package provides the membership, the assignment of shards to nodes and the
 * locks on them; requests between nodes are the engine's RPCs. Entities of `@effect/cluster` would keep state for each job,
 * wait for ever for a kind that a node does not manage, and delay the release of a shard until their requests have ended.
 *
 * @since 0.2.0
 */
import * as MessageStorage from "@effect/cluster/MessageStorage"
import * as RunnerHealth from "@effect/cluster/RunnerHealth"
import { RunnerAddress } from "@effect/cluster/RunnerAddress"
import { RunnerStorage } from "@effect/cluster/RunnerStorage"
import * as Runners from "@effect/cluster/Runners"
import * as Sharding from "@effect/cluster/Sharding"
import { make as makeShardId, type ShardId } from "@effect/cluster/ShardId"
import * as ShardingConfig from "@effect/cluster/ShardingConfig"
import * as SocketServer from "@effect/platform/SocketServer"
import type { RpcClientError } from "@effect/rpc/RpcClientError"
import * as RpcServer from "@effect/rpc/RpcServer"
import * as SqlClient from "@effect/sql/SqlClient"
import {
  Array,
  Context,
  type Duration,
  Effect,
  FiberSet,
  Layer,
  Option,
  type Redacted,
  Schedule,
  type Scope
} from "effect"
import type { StoreError } from "../../domain/errors.js"
import type { JobId } from "../../domain/JobId.js"
import { closeOnFailure } from "../../internal/closeOnFailure.js"
import { allShards, shardOf, shards } from "../../store/port/shard.js"
import { Engine, type Requests, type Service, Unrouted } from "../Engine.js"
import * as Address from "./Address.js"
import * as Connections from "./Connections.js"
import * as frames from "./frames.js"
import { Elsewhere, JobRpcs } from "./JobRpcs.js"
import * as Peers from "./Peers.js"
import * as Served from "./Served.js"
import * as ShardLocks from "./shardLocks.js"

export type { Engine } from "../Engine.js"
export type { AddressRefused } from "./Address.js"

/**
 * Durations of the engine, which all nodes share.
 *
 * @since 0.2.0
 * @category options
 */
export interface Timing {
  /** How long a lock holds without a renewal. */
  readonly expiration: Duration.DurationInput
  /** Time between two renewals of the locks. */
  readonly refresh: Duration.DurationInput
  /** Time between two reads of the list of nodes. */
  readonly assignment: Duration.DurationInput
}

/**
 * Locks of 10 s that are renewed every 3 s, and a list of nodes that is read every second.
 *
 * @since 0.2.0
 * @category options
 */
export const defaultTiming: Timing = { expiration: "10 seconds", refresh: "3 seconds", assignment: "1 second" }

/**
 * Options of `layer`.
 *
 * @since 0.2.0
 * @category options
 */
export interface Options {
  /** How other nodes reach this one: `HOST:PORT`. It names the node, so no two nodes may share it. */
  readonly address: string
  /** Where to listen, if it differs from `address`: `HOST:PORT`. */
  readonly listen?: string | undefined
  /** Allows listening on every interface. */
  readonly insecure?: boolean | undefined
  /**
   * The secret that only the nodes of the cluster know: a node serves only callers that prove that they know it. It can
   * be left out if address and listener are on loopback. The connections are not encrypted.
   */
  readonly secret?: Redacted.Redacted | undefined
  /** `defaultTiming` by default. */
  readonly timing?: Timing | undefined
}

const group = "default"
const shardId = (shard: number): ShardId => makeShardId(group, shard + 1)

const settings = (address: Address.Address, { expiration, refresh, assignment }: Timing) =>
  ShardingConfig.layer({
    runnerAddress: Option.some(runnerOf(address)),
    shardsPerGroup: shards,
    availableShardGroups: [group],
    assignedShardGroups: [group],
    // An advisory lock lives as long as its connection, which a proxy or a silent network can keep for hours.
    shardLockDisableAdvisory: true,
    shardLockExpiration: expiration,
    shardLockRefreshInterval: refresh,
    refreshAssignmentsInterval: assignment,
    // After a failure the engine waits this long before it takes shards again.
    entityMessagePollInterval: assignment
  })

/** Keeps the brackets of an IPv6 address, so that the database has the address as written. */
const runnerOf = ({ port, text }: Address.Address) =>
  new RunnerAddress({ host: text.slice(0, text.lastIndexOf(":")), port })

/** Membership, assignment and locks. A node that renews its locks is healthy: requests are hints, and can be lost. */
const sharding = (config: Layer.Layer<ShardingConfig.ShardingConfig>, storage: RunnerStorage["Type"]) =>
  Sharding.layer.pipe(
    Layer.provide(Runners.layerNoop),
    Layer.provide([Layer.succeed(RunnerStorage, storage), MessageStorage.layerNoop, RunnerHealth.layerNoop, config])
  )

const listen = ({ host, port, text }: Address.Address, options: Parameters<typeof Connections.listen>[1]) =>
  Effect.mapError(
    Connections.listen({ host, port }, options),
    ({ cause }) => new Address.AddressRefused({ address: text, reason: `cannot listen: ${String(cause)}` })
  )

const answering = (served: Served.Served, server: SocketServer.SocketServer["Type"]) =>
  RpcServer.layer(JobRpcs, { disableTracing: true, disableFatalDefects: true }).pipe(
    Layer.provide(Served.handlers(served)),
    Layer.provide(RpcServer.layerProtocolSocketServer),
    Layer.provide(Layer.succeed(SocketServer.SocketServer, server)),
    Layer.provide(frames.layer(frames.maxRequest))
  )

/** How long a request is retried while no node accepts it. */
const routeTimeout = "2 seconds"
const routePause = "50 millis"
const reroute = Schedule.spaced(routePause).pipe(Schedule.upTo(routeTimeout))

/** Maximum number of queued wake-ups; a sweep finds the work of lost ones. */
const maxWakes = 256

const make = ({
  address: text,
  insecure = false,
  listen: listenText = text,
  secret,
  timing = defaultTiming
}: Options): Effect.Effect<Service, StoreError | Address.AddressRefused, SqlClient.SqlClient | Scope.Scope> =>
  Effect.gen(function* () {
    const address = yield* Address.reachable(text)
    const bound = yield* Address.bindable(listenText, insecure)
    if (secret === undefined) yield* Effect.forEach([address, bound], Address.onLoopback, { discard: true })
    const server = yield* listen(bound, { called: text, secret })
    const config = settings(address, timing)
    const locks = yield* Effect.provide(ShardLocks.make(yield* SqlClient.SqlClient, text), config)
    const peers = yield* Peers.make({ caller: text, secret })
    const context = yield* Layer.build(sharding(config, locks.storage))
    const { hasShardId } = Context.get(context, Sharding.Sharding)
    let isOpen = true
    const isHeld = (shard: number) => isOpen && hasShardId(shardId(shard)) && locks.isFresh(shardId(shard))
    const hasShard = (id: JobId) => isHeld(shardOf(id))
    const holders: Service["holders"] = Effect.map(
      locks.holders(allShards.map(shardId)),
      (found) =>
        new Map(found.flatMap((holder, shard) => Array.fromOption(Option.map(holder, (address) => [shard, address]))))
    )
    const nodesOf: Service["nodesOf"] = (ids) => locks.holders(ids.map((id) => shardId(shardOf(id))))

    const served = Served.make(hasShard)
    yield* Layer.build(answering(served, server))
    const wakes = yield* FiberSet.make()
    yield* Effect.addFinalizer(() =>
      Effect.zipRight(
        Effect.sync(() => void (isOpen = false)),
        locks.leave
      )
    )

    const holder = (jobId: JobId) =>
      Effect.flatMap(nodesOf([jobId]), ([node = Option.none()]) => Effect.mapError(node, () => new Unrouted({ jobId })))

    const ask: Service["ask"] = (kind, address) => {
      const by = address === undefined ? "shard" : "address"
      const routed = <A, E>(
        jobId: JobId,
        here: (requests: Requests) => Effect.Effect<A, E | Unrouted>,
        there: (client: Peers.Client) => Effect.Effect<A, E | Elsewhere | RpcClientError>
      ) =>
        Effect.gen(function* () {
          const isHere = by === "address" ? address === text : hasShard(jobId)
          if (isHere) return yield* served.answer({ kind, jobId, by }, here)
          const node = yield* Address.parse(address ?? (yield* holder(jobId))).pipe(
            Effect.mapError(() => new Unrouted({ jobId }))
          )
          // This node's lock on the shard has expired, or this node has just acquired it.
          if (node.text === text) return yield* new Unrouted({ jobId })
          return yield* peers.ask(node, there)
        }).pipe(
          Effect.catchAll((error) => (error instanceof Elsewhere ? new Unrouted({ jobId }) : Effect.fail(error))),
          Effect.retry({ while: (error) => error instanceof Unrouted, schedule: reroute })
        )
      return {
        wake: (jobId) =>
          Effect.gen(function* () {
            if (!isOpen || (yield* FiberSet.size(wakes)) >= maxWakes) return
            const sent = routed(
              jobId,
              ({ wake }) => wake(jobId),
              (client) => client.Wake({ kind, jobId, by })
            )
            yield* FiberSet.run(wakes, Effect.interruptible(Effect.ignore(Effect.timeout(sent, routeTimeout))))
          }),
        stop: (jobId, grace) =>
          routed(
            jobId,
            ({ stop }) => stop(jobId, grace),
            (client) => client.Stop({ kind, jobId, by, grace })
          )
      }
    }
    return {
      address: text,
      hasShard,
      shards: () => allShards.filter(isHeld),
      holders,
      nodesOf,
      serve: served.serve,
      ask
    }
  }).pipe(closeOnFailure)

/**
 * The engine of this node. Its shards are free for other nodes as soon as it is closed.
 *
 * @since 0.2.0
 * @category layers
 */
export const layer = (
  options: Options
): Layer.Layer<Engine, StoreError | Address.AddressRefused, SqlClient.SqlClient> => Layer.scoped(Engine, make(options))
