/**
 * The manager of a daemon that is a node of a cluster, instead of the only manager of its database. `DaemonLayers` loads it only on
 * a node, since it imports the packages of a cluster.
 */
import { Context, Deferred, Effect, Layer, Redacted } from "effect"
import { createHmac } from "node:crypto"
import { Engine } from "../../cluster/Engine.js"
import * as EffectCluster from "../../cluster/engine/EffectCluster.js"
import * as Guard from "../../cluster/guard/Guard.js"
import * as Cluster from "../../cluster/JobManager.js"
import { NodeDefinitions } from "../../cluster/NodeDefinitions.js"
import { retryWhileInUse } from "../../cluster/retryWhileInUse.js"
import { InvalidJobConfig, NodeConflict } from "../../domain/errors.js"
import { JobManager } from "../../manager/JobManager.js"
import { Orchestrator } from "../../manager/Orchestrator.js"
import * as ProcessRunner from "../../process/ProcessRunner.js"
import { RunStore } from "../../store/RunStore.js"
import * as Configuration from "../config/Configuration.js"
import type { Supervised } from "../supervision/ManagerSupervisor.js"
import { definitionsOf } from "../notices/noticeSubscribers.js"
import * as NodeReport from "../serve/NodeReport.js"
import type { Node } from "../config/NodeSettings.js"
import * as supervisedManager from "../supervision/supervisedManager.js"

/** Runs child processes that end with this process. */
export const guarded = Layer.provideMerge(ProcessRunner.layer, Guard.layer())

/** The wildcard address of the same address family. */
const everyInterface = (advertise: string): string => {
  const port = advertise.slice(advertise.lastIndexOf(":") + 1)
  return advertise.startsWith("[") ? `[::]:${port}` : `0.0.0.0:${port}`
}

/** Never the token itself, which is for HTTP requests. */
const secretOf = (token: Redacted.Redacted) =>
  Redacted.make(createHmac("sha256", Redacted.value(token)).update("charlotte engine secret").digest("hex"))

const engine = ({ advertise, insecureCluster = false }: Node, token: Redacted.Redacted | undefined) =>
  EffectCluster.layer({
    address: advertise,
    secret: token && secretOf(token),
    ...(insecureCluster && { listen: everyInterface(advertise), insecure: true })
  })

const ofOneMachine = new InvalidJobConfig({
  issues: [
    {
      path: ["repoPath"],
      message:
        "is a directory, and any node of the cluster may run the job; where all nodes have the same repositories at the same paths, " +
        "start each with --shared-repositories"
    }
  ]
})

/** Refuses jobs in a directory of this machine, since another node might run them; a stored job was accepted by some node before. */
const onAnyMachine = Layer.effect(
  Orchestrator,
  Effect.map(Orchestrator, ({ check, ...orchestrator }) =>
    Orchestrator.of({
      ...orchestrator,
      check: (config, stored) => (stored === undefined ? ofOneMachine : (check?.(config, stored) ?? Effect.succeed({})))
    })
  )
)

/** Waits until no other node has the address: the engine of a second one would take the shards of the first. */
const untilFree = ({ advertise: address }: Node) =>
  Effect.gen(function* () {
    const { cluster } = yield* RunStore
    const { kind } = JobManager
    const check = Effect.gen(function* () {
      const nodes = yield* cluster.nodes(kind)
      if (nodes.some((node) => node.address === address && node.isAlive))
        return yield* new NodeConflict({ kind, address })
    })
    yield* retryWhileInUse(cluster, { kind, address }, check)
  })

const manager = (node: Node, url: string | undefined) =>
  Layer.unwrapEffect(
    Effect.gen(function* () {
      const { notify } = yield* Configuration.Configuration
      return Cluster.layerCluster({
        ...(yield* Configuration.withLimits({ recovery: "automatic" })),
        ...(node.capacity !== undefined && { capacity: node.capacity }),
        ...(url !== undefined && { url })
      }).pipe(Layer.provide(Layer.succeed(NodeDefinitions, definitionsOf(notify))))
    })
  )

/** The manager of this node. It is never replaced: when the database is unreachable, it releases its jobs, and later takes jobs again. */
export const make = <E, R>(
  node: Node,
  orchestrator: Layer.Layer<Orchestrator, E, R>,
  {
    token,
    url
  }: {
    /** The URL at which other nodes request its logs. */
    readonly url: string | undefined
    /** The token that all nodes share. */
    readonly token: Redacted.Redacted | undefined
  }
) =>
  Effect.gen(function* () {
    yield* untilFree(node)
    const layer = manager(node, url).pipe(
      Layer.provide(node.sharedRepositories === true ? orchestrator : Layer.provide(onAnyMachine, orchestrator)),
      Layer.provideMerge(engine(node, token))
    )
    const context = yield* Layer.build(layer)
    const { cluster, latestCursor } = yield* RunStore
    const generation = { manager: Context.get(context, JobManager), lost: yield* Deferred.make<void>() }
    const current = Effect.succeedSome(generation)
    const supervised: Supervised & { readonly node: NodeReport.NodeReport } = {
      // With streams that continue once the database is back.
      manager: supervisedManager.make({ latestCursor, current, next: current }),
      problems: Effect.succeed([]),
      node: NodeReport.make(cluster, Context.get(context, Engine))
    }
    return supervised
  })
