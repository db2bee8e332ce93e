/**
 * The run store on a client of `@effect/sql-pg`.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import { Effect, Option, Schema, type Scope } from "effect"
import { StoreError } from "../../domain/errors.js"
import * as background from "../../internal/background.js"
import { RealClock } from "../../internal/RealClock.js"
import * as ChangeNotifier from "../port/ChangeNotifier.js"
import type { Service } from "../port/RunStoreService.js"
import { unguarded } from "../sql/Guard.js"
import * as cluster from "../sql/cluster.js"
import { databaseTime } from "../sql/retention.js"
import { type Session, transactionOf } from "../sql/Session.js"
import { query } from "../sql/statements.js"
import * as subscribers from "../sql/subscribers.js"
import * as SqlRunStore from "../sql/SqlRunStore.js"
import * as DatabaseClock from "./DatabaseClock.js"
import * as Heartbeat from "./Heartbeat.js"
import * as Listener from "./Listener.js"
import * as PostgresMigrations from "./PostgresMigrations.js"
import * as PostgresOwnership from "./PostgresOwnership.js"
import * as PostgresSession from "./PostgresSession.js"

type Store = Effect.Effect<Service, StoreError, SqlClient.SqlClient | Scope.Scope>

/** Milliseconds between two looks for runs and requests of producers. */
const watchInterval = 1_000

/** `pg_current_xact_id` came with 13; older versions are out of support. */
const oldest = 13

const selectSettings = query(
  Schema.Struct({ version: Schema.NumberFromString, fsync: Schema.String, encoding: Schema.String })
)

const refuse = (reason: StoreError["reason"], message: string) =>
  new StoreError({ operation: "open the store", reason, cause: new Error(message) })

/** Refuses a server that the store cannot use; warns of a server that may lose acknowledged writes. */
const check = (session: Session) =>
  Effect.gen(function* () {
    const [settings] = yield* session.read("open the store", (connection) =>
      selectSettings(
        connection,
        `SELECT current_setting('server_version_num') AS version, current_setting('fsync') AS fsync,
           current_setting('server_encoding') AS encoding`,
        []
      )
    )
    if (settings === undefined) return
    const major = Math.floor(settings.version / 10_000)
    if (major < oldest) return yield* refuse("version", `PostgreSQL ${major} is older than the required ${oldest}`)
    if (settings.encoding !== "UTF8") {
      return yield* refuse("other", `the encoding of the database is ${settings.encoding}; create one with UTF8`)
    }
    if (settings.fsync !== "on") {
      yield* Effect.logWarning(`fsync of the server is ${settings.fsync}: what it acknowledges can be lost`)
    }
  })

const open = (isWritable: boolean): Store =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    if (Option.isSome(transactionOf(yield* Effect.context<never>()))) {
      return yield* Effect.dieMessage(
        "the store was opened inside a transaction; build its layer outside the transaction"
      )
    }
    const session = yield* PostgresSession.make(sql)
    yield* check(session)
    yield* isWritable ? PostgresMigrations.run(session) : PostgresMigrations.verify(session)
    const notifier = yield* ChangeNotifier.make
    yield* Listener.make(sql, session, notifier)
    const heartbeat = yield* Heartbeat.make(sql)
    const clock = yield* DatabaseClock.make(session.read("read the time", databaseTime))
    return yield* SqlRunStore.make({
      heartbeat: (node) => heartbeat(cluster.renewal(session.dialect), node),
      renewSubscriber: (holder) => heartbeat(subscribers.renewal(session.dialect), holder),
      session,
      application: session,
      clock,
      notifier,
      guard: unguarded,
      isWritable,
      isShared: true,
      spansMachines: true,
      // Commits send notices, and this finds what a lost notice has announced.
      watch: (wake) =>
        Effect.flatMap(RealClock, ({ sleep }) =>
          Effect.asVoid(background.fork(Effect.forever(Effect.zipRight(sleep(watchInterval), wake))))
        ),
      // The listener notifies of the events of all processes.
      watchChanges: () => Effect.void,
      acquire: (owners) => {
        const nodes = (kind: string) => session.read("list nodes", (connection) => cluster.nodes(connection, kind))
        return PostgresOwnership.acquire(sql, owners, nodes, session.disconnect)
      }
    })
  })

export const make = open(true)

export const untouched = open(false)
