/**
 * Stores on databases of their own.
 */
import { Database, RunStore } from "charlotte"
import { Effect, Layer } from "effect"
import * as TestDatabase from "./database.js"

/** A store and its client, on a new database. */
export const layer = Layer.unwrapScoped(
  Effect.map(TestDatabase.make, (url) =>
    RunStore.layer.pipe(Layer.provideMerge(Database.layerPostgres({ url })), Layer.orDie)
  )
)
