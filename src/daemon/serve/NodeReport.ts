/**
 * The state of this node of a cluster, for probes and metrics.
 */
import { Effect, Option } from "effect"
import { lease } from "../../internal/timing.js"
import type { Service as Engine } from "../../cluster/Engine.js"
import type { StoreError } from "../../domain/errors.js"
import type { ClusterGauges } from "../../http/server/Metrics.js"
import { JobManager } from "../../manager/JobManager.js"
import type { ClusterStore } from "../../store/port/RunStoreService.js"

export interface NodeReport {
  /** Why this node runs no jobs; none while it drains. */
  readonly problems: Effect.Effect<ReadonlyArray<string>>
  readonly gauges: Effect.Effect<ClusterGauges, StoreError>
}

export const make = (store: ClusterStore, engine: Pick<Engine, "address" | "shards">): NodeReport => {
  const { kind } = JobManager
  const nodes = store.nodes(kind)
  return {
    problems: Effect.map(nodes, (nodes) => {
      const own = nodes.find(({ address }) => address === engine.address)
      if (own === undefined) return ["this node is not recorded in the database: it joins the cluster, or leaves it"]
      if (own.seenAgo > lease) {
        const seconds = Math.floor(own.seenAgo / 1_000)
        return [`this node has given no sign of life for ${seconds} seconds, and lets go of its jobs; see its log`]
      }
      if (own.isDraining || engine.shards().length > 0) return []
      return ["this node has no share of the jobs yet: it waits for other nodes to let go of theirs"]
    }).pipe(Effect.catchAll(({ message }) => Effect.succeed([message]))),

    gauges: Effect.gen(function* () {
      const all = yield* nodes
      const held = yield* store.held(kind)
      const limit = yield* store.currentLimit(kind)
      const own = all.find(({ address }) => address === engine.address)
      return {
        nodes: all.filter(({ isAlive }) => isAlive).length,
        maxJobs: Option.getOrUndefined(limit),
        capacity: own?.capacity ?? 0,
        running: held.filter(({ address }) => address === engine.address).length,
        shards: engine.shards().length,
        leaseAge: own === undefined ? Infinity : own.seenAgo / 1_000
      }
    })
  }
}
