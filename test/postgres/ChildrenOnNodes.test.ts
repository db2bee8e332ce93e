/** Jobs that start others and wait for them, on nodes with one database of PostgreSQL. */
import { Database, RunStore } from "charlotte"
import { Effect, Layer } from "effect"
import { childrenOnNodes } from "../cluster/childrenOnNodes.js"
import * as TestDatabase from "./database.js"
import { engineAt, freeAddress } from "./engineAt.js"

childrenOnNodes(
  "on nodes with PostgreSQL",
  Effect.map(TestDatabase.make, (url) =>
    Effect.flatMap(freeAddress, (address) =>
      Layer.build(
        Layer.merge(RunStore.layer.pipe(Layer.provide(Database.layerPostgres({ url }))), engineAt(url, { address }))
      )
    )
  )
)
