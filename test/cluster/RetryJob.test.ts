/** Runs that are retried by hand, by a node of a cluster. */
import { RunStore } from "charlotte"
import { Effect, Layer } from "effect"
import { Engine } from "../../src/cluster/Engine.js"
import * as JobKind from "../../src/cluster/JobKind.js"
import { Email, Later, retrying } from "../manager/retrying.js"
import * as MemoryEngine from "./MemoryEngine.js"

const engine = Layer.scoped(
  Engine,
  Effect.flatMap(MemoryEngine.make, ({ join }) => join("a:1"))
)

retrying(
  "by a node",
  {
    email: (options) => Layer.orDie(Layer.provide(JobKind.layerCluster(Email, options), engine)),
    later: (options) => Layer.orDie(Layer.provide(JobKind.layerCluster(Later, options), engine))
  },
  RunStore.layerMemory
)
