/**
 * The manager of a kind of job, as one node of a cluster.
 *
 * @since 0.2.0
 */
import { type Layer, Record, type Schema, type Scope } from "effect"
import type { AlreadyManaged, NodeConflict, StoreError } from "../domain/errors.js"
import * as kindLayer from "../manager/internal/kindLayer.js"
import * as kindManager from "../manager/internal/kindManager.js"
import { schemasOf } from "../manager/internal/schemasOf.js"
import type * as JobKind from "../manager/JobKind.js"
import type { RunStore } from "../store/RunStore.js"
import * as ClusterManager from "./ClusterManager.js"
import type { Engine } from "./Engine.js"
import type { NodeOptions } from "./JobManager.js"
import { versionOf } from "./versionOf.js"

/**
 * Options of `layerCluster`.
 *
 * @since 0.2.0
 * @category options
 */
export interface ClusterOptions<K extends JobKind.Any, R, R2, R3 = never>
  extends JobKind.RunOptions<K, R, R2, R3>, NodeOptions {}

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
  Defined extends "key" | "labels",
  R,
  Key extends JobKind.Starts<Schema.Schema.Type<C>>["key"],
  Labels extends JobKind.Starts<Schema.Schema.Type<C>>["labels"],
  R2 = never,
  R3 = never
>(
  kind: JobKind.TagClass<Self, Name, C, S, E, Ev, Si, Defined>,
  {
    capacity,
    lease,
    url,
    ...options
  }: ClusterOptions<JobKind.Definition<Name, C, S, E, Ev, Si>, R, R2, R3> & {
    /** Used if the definition has none. A producer knows the definition only. */
    readonly key?: Key
    /** Used if the definition has none. A producer knows the definition only. */
    readonly labels?: Labels
  }
): Layer.Layer<
  JobKind.Provided<Self, Defined, Key, Labels>,
  StoreError | AlreadyManaged | NodeConflict,
  | RunStore
  | Engine
  | Exclude<R, Scope.Scope>
  | R2
  | R3
  | JobKind.Requirements<JobKind.Definition<Name, C, S, E, Ev, Si>>
> =>
  kindLayer.make(
    kind,
    kind.Producer,
    kind,
    kindManager.make(schemasOf<JobKind.Definition<Name, C, S, E, Ev, Si>>(kind), options, (made) =>
      ClusterManager.make({
        ...made,
        version: kind.version ?? versionOfKind(kind),
        ...(capacity === undefined ? {} : { capacity }),
        ...(lease === undefined ? {} : { lease }),
        ...(url === undefined ? {} : { url })
      })
    )
  )

const versionOfKind = ({ config, error, events, signals, success }: JobKind.Any): string =>
  versionOf({ config, success, error, ...named("events", events), ...named("signals", signals) })

const named = (prefix: string, schemas: JobKind.Schemas = {}) => Record.mapKeys(schemas, (name) => `${prefix}.${name}`)
