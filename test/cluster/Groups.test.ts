/** The groups of a kind, on a node of a cluster. */
import { RunStore } from "charlotte"
import { Effect, Layer } from "effect"
import { Engine } from "../../src/cluster/Engine.js"
import * as JobKind from "../../src/cluster/JobKind.js"
import { grouping, Work } from "../manager/grouping.js"
import * as MemoryEngine from "./MemoryEngine.js"

const engine = Layer.scoped(
  Engine,
  Effect.flatMap(MemoryEngine.make, ({ join }) => join("a:1"))
)

grouping(
  "on a node",
  (options) => Layer.orDie(Layer.provide(JobKind.layerCluster(Work, options), engine)),
  RunStore.layerMemory
)
