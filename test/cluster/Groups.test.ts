/** The groups of a kind, on a node of a cluster. */
import { RunStore } from "charlotte"
import { Layer } from "effect"
import * as JobKind from "../../src/cluster/JobKind.js"
import { grouping, Work } from "../manager/grouping.js"
import * as MemoryEngine from "./MemoryEngine.js"

grouping(
  "on a node",
  (options) => Layer.orDie(Layer.provide(JobKind.layerCluster(Work, options), MemoryEngine.layer)),
  RunStore.layerMemory
)
