/** Runs that are retried by hand, by a node of a cluster. */
import { RunStore } from "charlotte"
import { Layer } from "effect"
import * as JobKind from "../../src/cluster/JobKind.js"
import { Email, Later, retrying } from "../manager/retrying.js"
import * as MemoryEngine from "./MemoryEngine.js"

retrying(
  "by a node",
  {
    email: (options) => Layer.orDie(Layer.provide(JobKind.layerCluster(Email, options), MemoryEngine.layer)),
    later: (options) => Layer.orDie(Layer.provide(JobKind.layerCluster(Later, options), MemoryEngine.layer))
  },
  RunStore.layerMemory
)
