import { Database, RunStore } from "charlotte"
import { Effect, Layer } from "effect"
import { databaseFile } from "./lives.js"

/** Each store, made for each layer that provides it. */
export const stores = {
  "in memory": RunStore.layerMemory,
  "in SQLite": Layer.unwrapScoped(
    Effect.map(databaseFile, (filename) => RunStore.layer.pipe(Layer.provide(Database.layer({ filename }))))
  )
}
