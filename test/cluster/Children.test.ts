/** Jobs that start others and wait for them, on nodes with one store in memory. */
import { RunStore } from "charlotte"
import { Context, Effect, Layer } from "effect"
import { Engine } from "../../src/cluster/Engine.js"
import { childrenOnNodes } from "./childrenOnNodes.js"
import * as MemoryEngine from "./MemoryEngine.js"

childrenOnNodes(
  "on nodes in one process",
  Effect.gen(function* () {
    const store = yield* Layer.build(RunStore.layerMemory)
    const network = yield* MemoryEngine.make
    let nodes = 0
    return Effect.suspend(() =>
      Effect.map(network.join(`node${++nodes}:1`), (engine) => Context.add(store, Engine, engine))
    )
  })
)
