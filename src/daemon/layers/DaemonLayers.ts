/**
 * The layers of a daemon: as the only manager of its database, or as a node of a cluster.
 */
import { Effect, Layer, Option, type Redacted } from "effect"
import * as ProcessRunner from "../../process/ProcessRunner.js"
import * as HomeDatabase from "../home/HomeDatabase.js"
import type * as HomeLock from "../home/HomeLock.js"
import * as HomeNode from "../serve/HomeNode.js"
import * as Layers from "./Layers.js"
import * as ManagerSupervisor from "../supervision/ManagerSupervisor.js"
import * as ServedPort from "../serve/ServedPort.js"

/** The home, locked by this process; the note of the lock owner includes its node. */
export const home = (options: HomeLock.Options) =>
  Layer.unwrapEffect(Effect.map(HomeNode.note, (note) => Layers.lock({ ...options, ...note }))).pipe(
    Layer.provideMerge(Layers.configured)
  )

/** Loaded only on a node. */
const cluster = Effect.promise(() => import("./ClusterLayers.js"))

const alone: Layer.Layer<
  ProcessRunner.ProcessRunner,
  Layer.Layer.Error<Effect.Effect.Success<typeof cluster>["guarded"]>,
  Layer.Layer.Context<typeof ProcessRunner.layer>
> = ProcessRunner.layer

/** The database of the home, and the runner of child processes, which have a guard on a node. */
export const records = Layer.unwrapEffect(
  Effect.flatMap(HomeNode.chosen, (node) =>
    Option.isNone(node) ? Effect.succeed(alone) : Effect.map(cluster, ({ guarded }): typeof alone => guarded)
  )
).pipe(Layer.provideMerge(Layers.database))

/** The job manager, for as long as the scope lives. Other nodes request logs at the port, and have the same token. */
export const supervised = (port: ServedPort.Served | undefined, token: Redacted.Redacted | undefined) =>
  Effect.gen(function* () {
    const node = yield* HomeNode.chosen
    if (Option.isNone(node)) {
      const only = yield* ManagerSupervisor.make((onLost) => Layers.manager({ recovery: "automatic", onLost }))
      return { ...only, node: undefined }
    }
    const { make } = yield* cluster
    const url = port && ServedPort.urlOf(port, node.value.advertise)
    const supervised = yield* make(node.value, Layers.orchestrator, { url, token })
    // What was refused is not remembered.
    yield* Effect.flatMap(HomeNode.remembered, HomeDatabase.leaveNote)
    return supervised
  })
