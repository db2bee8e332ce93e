/** A kind that is paused, on a node of a cluster. */
import { RunStore } from "charlotte"
import { Layer } from "effect"
import * as JobKind from "../../src/cluster/JobKind.js"
import { pausing, Work } from "../manager/pausing.js"
import * as MemoryEngine from "./MemoryEngine.js"

pausing(
  "on a node",
  (options) => Layer.orDie(Layer.provide(JobKind.layerCluster(Work, options), MemoryEngine.layer)),
  RunStore.layerMemory
)
