/**
 * The run store on an SQLite client.
 */
import type * as SqlClient from "@effect/sql/SqlClient"
import { Effect, Layer, type Scope } from "effect"
import { StoreError } from "../../domain/errors.js"
import * as ChangeNotifier from "../port/ChangeNotifier.js"
import * as Database from "../Database.js"
import * as Migrations from "./Migrations.js"
import * as Ownership from "./Ownership.js"
import type { Service } from "../port/RunStoreService.js"
import * as DatabaseFileGuard from "./DatabaseFileGuard.js"
import * as ForeignCommits from "./ForeignCommits.js"
import * as Durability from "./Durability.js"
import { openSession } from "../openSession.js"
import { type Guard, unguarded } from "../sql/Guard.js"
import type { Session } from "../sql/Session.js"
import * as SqlRunStore from "../sql/SqlRunStore.js"

type Store = Effect.Effect<Service, StoreError, SqlClient.SqlClient | Scope.Scope>

/** Opens a store; requires an up-to-date schema. */
export const open: (
  options: DatabaseFileGuard.Options & {
    /** The session; a new one on the client by default. */
    readonly session?: Session
    /** The guard of a database without a file. */
    readonly inMemory?: Guard
    /**
     * The application's session, when this store uses another connection: a write within the application's transaction would
     * deadlock.
     */
    readonly application?: Session
  }
) => Store = Effect.fnUntraced(function* (options) {
  const own = options.session ?? (yield* openSession)
  const { application = own, inMemory = unguarded, isWritable } = options
  const session =
    application === own
      ? own
      : { ...own, outsideTransaction: Effect.zipRight(application.outsideTransaction, own.outsideTransaction) }
  const file = yield* DatabaseFileGuard.of(session)
  const guard = file === undefined ? inMemory : yield* DatabaseFileGuard.guard(session, file, options)
  const notifier = yield* ChangeNotifier.make
  const watch = file === undefined ? () => Effect.void : yield* ForeignCommits.make(session, notifier)
  return yield* SqlRunStore.make({
    session,
    application,
    notifier,
    guard,
    isWritable,
    isShared: file !== undefined,
    spansMachines: false,
    watch,
    watchChanges: watch,
    lockSubscriber: file === undefined ? undefined : Ownership.lockSubscriber(file),
    acquire: (owners) => (owner) => Effect.zipRight(guard.attend, Ownership.acquire(owners, file)(owner))
  })
})

/** The options of `RunStore.layerWith`. */
export interface Options {
  readonly durability?: "checked" | "as-is" | undefined
  readonly connection?: "shared" | "own" | undefined
}

/** Migrates without yielding: another fiber could wait for the lock of the migration and block the event loop. */
const migrate = Effect.withMaxOpsBeforeYield(Migrations.run, Number.MAX_SAFE_INTEGER)

/** A store on a separate connection to the file of the application. */
const openOnOwnConnection = (application: Session): Store =>
  Effect.gen(function* () {
    const filename = yield* DatabaseFileGuard.of(application)
    if (filename === undefined) {
      const cause = new Error(
        'RunStore.layerWith({ connection: "own" }) needs a database file, and this database is in memory; use the shared connection'
      )
      return yield* new StoreError({ operation: "open the store", reason: "other", cause })
    }
    const database = yield* Layer.build(Database.layer({ filename }))
    return yield* Effect.zipRight(migrate, open({ isWritable: true, application })).pipe(Effect.provide(database))
  })

/** Creates the session first: it rejects unsuitable clients. */
export const make = ({ connection = "shared", durability = "checked" }: Options = {}): Store =>
  Effect.gen(function* () {
    const application = yield* openSession
    if (connection === "own") return yield* openOnOwnConnection(application)
    if (durability === "checked") yield* Durability.ensure(application)
    return yield* Effect.zipRight(migrate, open({ isWritable: true }))
  })

export const untouched: Store = openSession.pipe(
  Effect.zipRight(Migrations.verify),
  Effect.zipRight(open({ isWritable: false }))
)
