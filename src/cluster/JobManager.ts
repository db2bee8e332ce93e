/**
 * The manager of jobs that a `JobConfig` describes, as one node of a cluster.
 *
 * @since 0.2.0
 */
import { Effect, Layer } from "effect"
import type { AlreadyManaged, NodeConflict, StoreError } from "../domain/errors.js"
import { ofTasks } from "../manager/internal/ofTasks.js"
import * as JobManager from "../manager/JobManager.js"
import { Orchestrator } from "../manager/Orchestrator.js"
import type { RunStore } from "../store/RunStore.js"
import * as ClusterManager from "./ClusterManager.js"
import type { Engine } from "./Engine.js"

export type { NodeOptions } from "./ClusterManager.js"

/**
 * Options of `layerCluster`. `maxJobs` is the limit of the whole cluster: the first node records it, and from then on the recorded
 * limit applies.
 *
 * @since 0.2.0
 * @category options
 */
export interface ClusterOptions extends JobManager.LayerOptions, ClusterManager.NodeOptions {}

/**
 * The manager as one node of a cluster, for as long as the layer lives: it operates on the jobs of all nodes. When the layer
 * closes, it interrupts the jobs of this node, and other nodes continue them.
 *
 * @since 0.2.0
 * @category layers
 * @example
 * import { Database, RunStore } from "charlotte"
 * import { Engine, JobManager } from "charlotte/cluster"
 * import { Layer } from "effect"
 *
 * const Node = (url: string, address: string) =>
 *   JobManager.layerCluster({ maxJobs: 20, capacity: 8 }).pipe(
 *     Layer.provide(Engine.layer({ address })),
 *     Layer.provide(RunStore.layer),
 *     Layer.provide(Database.layerPostgres({ url }))
 *   )
 */
export const layerCluster = (
  options: ClusterOptions = {}
): Layer.Layer<JobManager.JobManager, StoreError | AlreadyManaged | NodeConflict, Orchestrator | RunStore | Engine> =>
  Layer.scoped(
    JobManager.JobManager,
    Effect.flatMap(Orchestrator, (orchestrator) =>
      ClusterManager.make({
        kind: JobManager.JobManager.kind,
        ...options,
        ...ofTasks,
        orchestrator
      })
    )
  )
