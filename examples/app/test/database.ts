/** The database of a test, in memory. */
import { Database, RunStore } from "charlotte"
import { Layer } from "effect"

export const database = Layer.provideMerge(RunStore.layer, Database.layer({ filename: ":memory:" }))
