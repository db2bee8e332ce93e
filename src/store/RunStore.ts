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
import type * as Port from "./Port.js"
import * as Sql from "./SqlRunStore.js"

export type * from "./Port.js"
export type { WorkRecords } from "./Work.js"

/**
 * @since 0.1.0
 * @example
 * import { RunStore } from "charlotte"
 * import { Effect } from "effect"
 *
 * const lastFailures = Effect.flatMap(RunStore.RunStore, (store) => store.list({ status: "failed", limit: 10 }))
 */
export class RunStore extends Context.Tag("charlotte/RunStore")<RunStore, Port.Service>() {}

/**
 * Keeps runs in the SQLite database of a `SqlClient`. It migrates its own tables, whose names begin with `charlotte_`, so
 * the database may be an application's own. How long a write survives and how long a lock is waited for is up to the client:
 * `Database.layer` sets what is promised, a client of your own has its own settings. On Node 24 and later, one that has brought a
 * better-sqlite3 older than 13 is refused: it would abort the process.
 *
 * @since 0.1.0
 */
export const layer: Layer.Layer<RunStore, StoreError, SqlClient.SqlClient> = Layer.scoped(
  RunStore,
  Effect.zipRight(Driver.refuseOld, Sql.make)
)

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
