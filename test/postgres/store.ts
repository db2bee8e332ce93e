/**
 * Stores on databases of their own.
 */
import { Database, RunStore } from "charlotte"
import { Effect, Layer } from "effect"
import * as TestDatabase from "./database.js"

/** The store of a database and its client, with so many connections. */
export const at = (url: string, maxConnections?: number) =>
  RunStore.layer.pipe(
    Layer.provideMerge(Database.layerPostgres({ url, ...(maxConnections !== undefined && { maxConnections }) })),
    Layer.orDie
  )

/** A store and its client, on a new database. */
export const layer = Layer.unwrapScoped(Effect.map(TestDatabase.migrated, (url) => at(url)))
