/**
 * The SQLite implementation of the run store.
 */
import type * as SqlClient from "@effect/sql/SqlClient"
import type { Connection } from "@effect/sql/SqlConnection"
import type { SqlError } from "@effect/sql/SqlError"
import { DateTime, Effect, Layer, Option, type Scope } from "effect"
import { StoreError, Superseded } from "../domain/errors.js"
import type { JobId } from "../domain/JobId.js"
import { isTerminal } from "../domain/RunStatus.js"
import * as Work from "../domain/Work.js"
import * as Database from "./Database.js"
import * as Migrations from "./Migrations.js"
import type { OwnerStore } from "./OwnerStore.js"
import * as Ownership from "./Ownership.js"
import * as Page from "./Page.js"
import * as searchText from "./searchText.js"
import type { Service } from "./RunStoreService.js"
import * as SqlOutbox from "./SqlOutbox.js"
import * as ChangeNotifier from "./ChangeNotifier.js"
import * as agentLimits from "./sql/agentLimits.js"
import * as childProcesses from "./sql/childProcesses.js"
import * as DatabaseFileGuard from "./sql/DatabaseFileGuard.js"
import * as Durability from "./sql/Durability.js"
import * as events from "./sql/events.js"
import * as listing from "./sql/listing.js"
import * as owners from "./sql/owners.js"
import * as keys from "./sql/keys.js"
import * as queue from "./sql/queue.js"
import * as queueListing from "./sql/queueListing.js"
import * as retentionWrites from "./sql/retentionWrites.js"
import * as runs from "./sql/runs.js"
import * as runWrites from "./sql/runWrites.js"
import * as search from "./sql/search.js"
import * as SearchIndexer from "./sql/SearchIndexer.js"
import * as signals from "./sql/signals.js"
import * as Session from "./sql/Session.js"
import * as taskProgress from "./sql/taskProgress.js"
import * as Writer from "./sql/Writer.js"

type Store = Effect.Effect<Service, StoreError, SqlClient.SqlClient | Scope.Scope>

/** Requires an up-to-date schema. */
const open: (
  options: DatabaseFileGuard.Options & {
    /**
     * The application's session, when this store uses another connection: a write within the application's transaction would
     * deadlock.
     */
    readonly application?: Session.Session
  }
) => Store = Effect.fnUntraced(function* (options) {
  const own = yield* Session.make
  const { application } = options
  const session =
    application === undefined
      ? own
      : { ...own, outsideTransaction: Effect.zipRight(application.outsideTransaction, own.outsideTransaction) }
  const file = yield* DatabaseFileGuard.of(session)
  const guard = yield* DatabaseFileGuard.guard(session, file, options)
  const notifier = yield* ChangeNotifier.make
  const { write } = yield* Writer.make({ session, notifier, guard })
  const indexer = options.isWritable ? yield* SearchIndexer.make(session, write) : SearchIndexer.none
  const { begin, create, queueCommitted, record, ...writes } = runWrites.make(write)
  const retention = yield* retentionWrites.make({ session, write })

  const writeStatements = <A>(operation: string, body: (connection: Connection) => Effect.Effect<A, SqlError>) =>
    write<A, never>({ operation, lane: "fast", body: (batch) => Effect.flatMap(batch.connection, body) })

  const execute = (operation: string, statement: string, params: ReadonlyArray<Session.Value>) =>
    writeStatements(operation, (connection) => Session.execute(connection, statement, params))

  const writeFenced = (
    operation: string,
    { attempt, jobId }: { readonly jobId: JobId; readonly attempt: number },
    body: (connection: Connection) => Effect.Effect<void, SqlError>
  ) =>
    write({
      operation,
      lane: "fast",
      about: jobId,
      body: (batch): Effect.Effect<void, Superseded | SqlError> =>
        runWrites.current(batch, jobId, attempt) === undefined
          ? new Superseded({ jobId, attempt })
          : Effect.flatMap(batch.connection, body)
    })

  const recordWork = (
    by: { readonly jobId: JobId; readonly attempt: number },
    body: (connection: Connection) => Effect.Effect<void, SqlError>
  ) => writeFenced("record units and tasks", by, body)

  const ownerStore: Omit<OwnerStore, "acquire"> = {
    get: (kind) => session.read("read the owner", (connection) => owners.get(connection, kind)),
    claim: (owner, replacing) =>
      writeStatements("claim ownership", (connection) => owners.claim(connection, owner, replacing)),
    release: (owner) => writeStatements("release ownership", (connection) => owners.release(connection, owner))
  }
  const page: Service["page"] = ({ limit = 100, ...query } = {}) =>
    Effect.gen(function* () {
      const pageQuery = { ...query, limit: yield* Page.limit("list runs", { ...query, limit }) }
      const queueOf = yield* Page.queueOf(query)
      if (Option.isSome(queueOf)) {
        return yield* session.read("list runs", (connection) =>
          queueListing.pageOf(connection, { ...pageQuery, kind: queueOf.value })
        )
      }
      const words = searchText.wanted(query.q ?? "")
      return yield* words.length > 0
        ? search.page(session, pageQuery, words)
        : session.read("list runs", (connection) => listing.pageOf(connection, pageQuery))
    })

  return {
    outsideTransaction: session.outsideTransaction,
    changes: notifier.get,

    get: (id) => session.read("read a run", (connection) => runs.get(connection, id)),

    withWork: (id) =>
      session.read("read a run", (connection) =>
        Effect.flatMap(runs.getPlanned(connection, id), (found) => {
          if (Option.isNone(found)) return Effect.succeedNone
          const { isPlanned, run } = found.value
          return Effect.map(isPlanned ? taskProgress.of(connection, id) : Effect.succeed(Work.nothing), (work) =>
            Option.some({ run, work })
          )
        })
      ),

    submission: (id) => session.read("read a submission", (connection) => runs.submission(connection, id)),

    page,
    list: (query) => Effect.map(page(query), ({ runs }) => runs),

    unfinished: (query) =>
      Effect.flatMap(Page.limit("list unfinished runs", query), (limit) =>
        session.read("list unfinished runs", (connection) => runs.unfinished(connection, { ...query, limit }))
      ),

    events: ({ jobId, kind, ...query }) =>
      Effect.flatMap(Page.limit("read events", query), (limit) =>
        session.read("read events", (connection) =>
          Effect.gen(function* () {
            const run = yield* runs.get(connection, jobId)
            if (Option.isNone(run) || run.value.kind !== kind) return Option.none()
            const page = yield* events.ofJob(connection, jobId, query.after, limit)
            return Option.some({ ...page, ended: isTerminal(run.value.status) })
          })
        )
      ),

    allEvents: ({ kind, ...query }) =>
      Effect.flatMap(Page.limit("read events", query), (limit) =>
        session.read("read events", (connection) => events.ofAll(connection, kind, query.after, limit))
      ),

    latestCursor: session.read("read events", events.latest),

    ...writes,
    ...retention,
    create: (run) => Effect.zipLeft(create(run), indexer.written),
    begin: (beginning) => Effect.zipLeft(begin(beginning), indexer.written),
    record: (change) => (change.error === undefined ? record(change) : Effect.zipLeft(record(change), indexer.written)),

    holder: (key) => session.read("read a key", (connection) => keys.holder(connection, key)),
    keys: (id) => session.read("read the keys of a run", (connection) => keys.ofRun(connection, id)),
    idempotent: ({ key, kind }) =>
      session.read("read an idempotency key", (connection) => queue.idempotent(connection, kind, key)),
    waiting: (kind) => Effect.sync(() => notifier.waiting(kind)),
    due: (query) => session.read("list waiting runs", (connection) => queue.due(connection, query)),
    pending: (kind) => session.read("count waiting runs", (connection) => queue.pending(connection, kind)),
    backlog: (kind) => session.read("count waiting runs", (connection) => queue.backlog(connection, kind)),
    nextDueAt: (kind) => session.read("read a due time", (connection) => queue.nextDueAt(connection, kind)),
    signals: (query) =>
      Effect.flatMap(Page.limit("list signals", query), (limit) =>
        session.read("list signals", (connection) => signals.list(connection, { ...query, limit }))
      ),
    latestSignal: ({ jobId, name }) =>
      session.read("read a signal", (connection) => signals.latest(connection, jobId, name)),

    outbox: Option.some(
      SqlOutbox.make({
        isShared: file !== undefined,
        application: application ?? own,
        session,
        guard,
        queueCommitted
      })
    ),

    owners: { ...ownerStore, acquire: Ownership.acquire(ownerStore, file) },

    childProcesses: {
      open: ({ at, attempt, bootId, cookie, jobId, purpose }) =>
        execute("record a process", childProcesses.statements.open, [
          cookie,
          jobId,
          attempt,
          bootId,
          purpose,
          DateTime.toEpochMillis(at)
        ]),
      spawned: ({ cookie, pid, startTime }) =>
        execute("record a process", childProcesses.statements.spawned, [pid, startTime ?? null, cookie]),
      close: ({ at, cookie }) =>
        execute("record a process", childProcesses.statements.close, [DateTime.toEpochMillis(at), cookie]),
      unclosed: (jobId) => session.read("read processes", (connection) => childProcesses.unclosed(connection, jobId)),
      leftBy: (kind) => session.read("read processes", (connection) => childProcesses.leftBy(connection, kind))
    },

    work: {
      plan: (planned) =>
        Effect.zipLeft(
          recordWork(planned, (connection) => taskProgress.plan(connection, planned.jobId, planned.work)),
          indexer.written
        ),
      unit: (changed) =>
        recordWork(changed, (connection) => taskProgress.updateUnit(connection, changed.jobId, changed.unit)),
      task: (changed) =>
        recordWork(changed, (connection) => taskProgress.updateTask(connection, changed.jobId, changed.task)),
      of: (jobId) => session.read("read units and tasks", (connection) => taskProgress.of(connection, jobId)),
      counts: (jobIds) => session.read("count tasks", (connection) => taskProgress.counts(connection, jobIds))
    },

    agentLimits: {
      get: (agent) => session.read("read a usage limit", (connection) => agentLimits.get(connection, agent)),
      record: ({ limit, ...by }) =>
        writeFenced("record a usage limit", by, (connection) => agentLimits.record(connection, limit)),
      clear: ({ agent, ...by }) =>
        writeFenced("clear a usage limit", by, (connection) => agentLimits.clear(connection, agent))
    }
  }
})

/** The options of `RunStore.layerWith`. */
export interface Options {
  readonly durability?: "checked" | "as-is" | undefined
  readonly connection?: "shared" | "own" | undefined
}

/** Does not yield within a migration: another fiber could wait for its lock and block the event loop. */
const migrate = Effect.withMaxOpsBeforeYield(Migrations.run, Number.MAX_SAFE_INTEGER)

/** A store on its own connection to the file of the application. */
const openOnOwnConnection = (application: Session.Session): Store =>
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
    const application = yield* Session.make
    if (connection === "own") return yield* openOnOwnConnection(application)
    if (durability === "checked") yield* Durability.ensure(application)
    return yield* Effect.zipRight(migrate, open({ isWritable: true }))
  })

export const untouched: Store = Session.make.pipe(
  Effect.zipRight(Migrations.verify),
  Effect.zipRight(open({ isWritable: false }))
)
