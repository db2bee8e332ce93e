/**
 * The port to persistence. Applications read runs through it; the rest is for managers.
 *
 * @since 0.1.0
 */
import type * as SqlClient from "@effect/sql/SqlClient"
import { Context, Effect, Layer } from "effect"
import type { StoreError } from "../domain/errors.js"
import * as Driver from "./Driver.js"
import * as Memory from "./MemoryRunStore.js"
import type * as RunStoreService from "./RunStoreService.js"
import * as Sql from "./SqlRunStore.js"

export type * from "./RunStoreService.js"
export type { TaskProgressStore as WorkRecords } from "./TaskProgressStore.js"

/**
 * @since 0.1.0
 * @example
 * import { RunStore } from "charlotte"
 * import { Effect } from "effect"
 *
 * const lastFailures = Effect.flatMap(RunStore.RunStore, (store) => store.list({ status: "failed", limit: 10 }))
 */
export class RunStore extends Context.Tag("charlotte/RunStore")<RunStore, RunStoreService.Service>() {}

/** @since 0.2.0 */
export interface LayerOptions {
  /**
   * - `checked` (the default): on a client of the application's own, `synchronous=FULL` and a `busy_timeout` of at most 50 ms are
   *   set, checked after a write, and logged; where that cannot be had, the store is refused
   * - `as-is`: the application knows how long its writes survive, and how long a lock of another process freezes it
   */
  readonly durability?: "checked" | "as-is"
  /**
   * - `shared` (the default): the connection of the application
   * - `own`: another connection to the same file, set up as by `Database.layer`; for applications whose transactions never wait in
   *   the middle, since two connections in one process that wait for each other freeze it
   */
  readonly connection?: "shared" | "own"
}

/**
 * Keeps runs in the SQLite database of a `SqlClient`, as `layerWith` does by default. It migrates its own tables, whose names
 * begin with `charlotte_`, so the database may be an application's own. A client that has brought a better-sqlite3 older than 13 is
 * refused on Node 24 and later: it would abort the process.
 *
 * @since 0.1.0
 */
export const layer: Layer.Layer<RunStore, StoreError, SqlClient.SqlClient> = Layer.scoped(
  RunStore,
  Effect.zipRight(Driver.refuseOld, Sql.make())
)

/**
 * The same with options.
 *
 * @since 0.2.0
 * @example
 * import { RunStore } from "charlotte"
 *
 * const Store = RunStore.layerWith({ connection: "own" })
 */
export const layerWith = (options: LayerOptions): Layer.Layer<RunStore, StoreError, SqlClient.SqlClient> =>
  Layer.scoped(RunStore, Effect.zipRight(Driver.refuseOld, Sql.make(options)))

/**
 * The runs in such a database, for who only wants to read them: nothing is migrated, so the tables have to be up to date,
 * and a write fails where the client cannot write.
 *
 * @since 0.1.0
 */
export const layerUntouched: Layer.Layer<RunStore, StoreError, SqlClient.SqlClient> = Layer.scoped(
  RunStore,
  Sql.untouched
)

/**
 * Keeps runs in memory.
 *
 * @since 0.1.0
 */
export const layerMemory: Layer.Layer<RunStore> = Layer.effect(RunStore, Memory.make)
