/**
 * The persistence port. Applications read runs through it; writes are for managers.
 *
 * @since 0.1.0
 */
import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import { Context, Effect, Layer } from "effect"
import type { StoreError } from "../domain/errors.js"
import * as Driver from "./sqlite/Driver.js"
import * as Memory from "./sqlite/MemoryRunStore.js"
import type * as RunStoreService from "./port/RunStoreService.js"
import * as Runs from "./Runs.js"
import * as Postgres from "./postgres/PostgresRunStore.js"
import { databaseOf } from "./openSession.js"
import * as Sqlite from "./sqlite/SqliteRunStore.js"

export type {
  AcceptedEvent,
  Attaching,
  Backlog,
  Beginning,
  Change,
  Created,
  CursorPage,
  EventPage,
  Gone,
  HeldKey,
  Holder,
  Idempotency,
  Key,
  NewProgress,
  NewRun,
  NewSignal,
  Outbox,
  OwnKeys,
  PruneOptions,
  Rescheduling,
  Removing,
  RetryOf,
  Rule,
  RunKeys,
  RunPage,
  RunQuery,
  RunQueue,
  RunReads,
  RunRetention,
  RunSignals,
  RunWithWork,
  RunWrites,
  Service,
  Submitted,
  UnfinishedRun,
  TaskProgressStore as WorkRecords
} from "./port/RunStoreService.js"

/**
 * The store of runs, with the write operations of managers. Applications read history through `Runs`.
 *
 * @since 0.1.0
 * @category tags
 * @example
 * import { RunStore } from "charlotte"
 * import { Effect } from "effect"
 *
 * const lastFailures = Effect.flatMap(RunStore.RunStore, (store) => store.list({ status: "failed", limit: 10 }))
 */
export class RunStore extends Context.Tag("charlotte/RunStore")<RunStore, RunStoreService.Service>() {}

/**
 * Options of `RunStore.layerWith`.
 *
 * @since 0.2.0
 * @category options
 */
export interface LayerOptions {
  /**
   * - `checked` (the default): on the application's own client, sets `synchronous=FULL` and a `busy_timeout` of at most 50
   *   ms, verifies them after a write and logs the change; fails if they cannot be set
   * - `as-is`: the application is responsible for the durability of writes, and for how long a lock of another process blocks
   *   the event loop
   */
  readonly durability?: "checked" | "as-is"
  /**
   * - `shared` (the default): the application's connection
   * - `own`: a second connection to the same file, configured as by `Database.layer`. Only for applications whose
   *   transactions never suspend: two connections in one process that wait for each other block the event loop
   */
  readonly connection?: "shared" | "own"
}

/** Provides a store: all of it to managers, and its reads to applications. */
const withRuns = Effect.map((store: RunStoreService.Service) =>
  Context.make(RunStore, store).pipe(Context.add(Runs.Runs, Runs.make(store)))
)

/** Chooses the store by the database of the client. */
const byDatabase = <A, E, R1, R2>(
  postgres: Effect.Effect<A, E, R1>,
  sqlite: Effect.Effect<A, E, R2>
): Effect.Effect<A, E, R1 | R2 | SqlClient.SqlClient> =>
  Effect.flatMap(SqlClient.SqlClient, (sql): Effect.Effect<A, E, R1 | R2> =>
    databaseOf(sql) === "postgres" ? postgres : sqlite
  )

/**
 * Stores runs in the SQLite or PostgreSQL database of a `SqlClient`, with the default options of `layerWith`. It migrates its tables,
 * prefixed with `charlotte_`, so the database may be the application's. On Node 24 and later it rejects a client with a
 * better-sqlite3 older than 13, which would abort the process.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<RunStore | Runs.Runs, StoreError, SqlClient.SqlClient> = Layer.scopedContext(
  withRuns(byDatabase(Postgres.make, Effect.zipRight(Driver.refuseOld, Sqlite.make())))
)

/**
 * Stores runs in the database of a `SqlClient`. The options apply to SQLite, and change nothing on PostgreSQL.
 *
 * @since 0.2.0
 * @category layers
 * @example
 * import { RunStore } from "charlotte"
 *
 * const Store = RunStore.layerWith({ connection: "own" })
 */
export const layerWith = (options: LayerOptions): Layer.Layer<RunStore | Runs.Runs, StoreError, SqlClient.SqlClient> =>
  Layer.scopedContext(withRuns(byDatabase(Postgres.make, Effect.zipRight(Driver.refuseOld, Sqlite.make(options)))))

/**
 * Read-only access to the database of a `SqlClient`: nothing is migrated, so the schema must be up to date, and writes fail on a
 * read-only client.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerUntouched: Layer.Layer<RunStore | Runs.Runs, StoreError, SqlClient.SqlClient> = Layer.scopedContext(
  withRuns(byDatabase(Postgres.untouched, Sqlite.untouched))
)

/**
 * Stores runs in memory: in a database of SQLite without a file, which keeps the last 1,000 finished runs besides the pinned ones.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerMemory: Layer.Layer<RunStore | Runs.Runs> = Layer.scopedContext(withRuns(Memory.make))

/**
 * Runs an effect in a transaction of the application's `SqlClient`, with everything that it starts. On SQLite the transaction takes the
 * write lock when it begins: a transaction that reads first, as `sql.withTransaction` does, fails when another process has written
 * meanwhile. While another process holds the lock, the whole effect is repeated, so what it does besides may happen more than once; after
 * 5 seconds it fails with a `StoreError` (`busy`), and nothing of it is recorded. Inside another transaction it is a savepoint. In memory
 * there are no transactions, and the effect runs as it is.
 *
 * @since 0.2.0
 * @category transactions
 * @example
 * import * as SqlClient from "@effect/sql/SqlClient"
 * import { JobKind, RunStore } from "charlotte"
 * import { Effect, Schema } from "effect"
 *
 * class Invoice extends JobKind.Tag<Invoice>()("invoice", { config: Schema.Struct({ order: Schema.Int }) }) {}
 *
 * const place = (order: number) =>
 *   Effect.gen(function* () {
 *     const sql = yield* SqlClient.SqlClient
 *     const invoices = yield* Invoice.Producer
 *     yield* sql`INSERT INTO orders VALUES (${order})`
 *     return yield* invoices.start({ order })
 *   }).pipe(RunStore.transaction)
 */
export const transaction = <A, E, R>(
  effect: Effect.Effect<A, E, R>
): Effect.Effect<A, E | SqlError | StoreError, R | RunStore> =>
  Effect.flatMap(RunStore, ({ outbox }) => outbox.transaction(effect))
