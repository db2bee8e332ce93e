/**
 * The manager of a kind of job, as one node of a cluster.
 *
 * @since 0.2.0
 */
import { Layer, type Schema, type Scope } from "effect"
import type { AlreadyManaged, NodeConflict, StoreError } from "../domain/errors.js"
import * as kindManager from "../manager/internal/kindManager.js"
import { schemasOf } from "../manager/internal/schemasOf.js"
import type * as JobKind from "../manager/JobKind.js"
import type { RunStore } from "../store/RunStore.js"
import * as ClusterManager from "./ClusterManager.js"
import type { Engine } from "./Engine.js"
import type { NodeOptions } from "./JobManager.js"

/**
 * Options of `layerCluster`.
 *
 * @since 0.2.0
 * @category options
 */
export interface ClusterOptions<K extends JobKind.Any, R, R2> extends JobKind.LayerOptions<K, R, R2>, NodeOptions {}

/**
 * The manager of a kind as one node of a cluster, for as long as the layer lives.
 *
 * @since 0.2.0
 * @category layers
 * @example
 * import { JobKind } from "charlotte"
 * import * as Cluster from "charlotte/cluster"
 * import { Effect, Schema } from "effect"
 *
 * class Email extends JobKind.Tag<Email>()("email", { config: Schema.Struct({ to: Schema.String }) }) {}
 *
 * const EmailNode = Cluster.JobKind.layerCluster(Email, {
 *   maxJobs: 20,
 *   run: ({ config: { to } }) => Effect.log(`a mail to ${to}`)
 * })
 */
export const layerCluster = <
  Self,
  Name extends string,
  C extends Schema.Schema.All,
  S extends Schema.Schema.All,
  E extends Schema.Schema.All,
  Ev extends JobKind.Schemas | undefined,
  Si extends JobKind.Schemas | undefined,
  R,
  R2 = never
>(
  kind: JobKind.TagClass<Self, Name, C, S, E, Ev, Si>,
  { capacity, lease, url, ...options }: ClusterOptions<JobKind.Definition<Name, C, S, E, Ev, Si>, R, R2>
): Layer.Layer<
  Self,
  StoreError | AlreadyManaged | NodeConflict,
  RunStore | Engine | Exclude<R, Scope.Scope> | R2 | JobKind.Requirements<JobKind.Definition<Name, C, S, E, Ev, Si>>
> =>
  Layer.scoped(
    kind,
    kindManager.make(schemasOf<JobKind.Definition<Name, C, S, E, Ev, Si>>(kind), options, (made) =>
      ClusterManager.make({
        ...made,
        ...(capacity === undefined ? {} : { capacity }),
        ...(lease === undefined ? {} : { lease }),
        ...(url === undefined ? {} : { url })
      })
    )
  )
