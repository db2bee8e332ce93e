/**
 * The run store over a session and a writer, the same for SQLite and PostgreSQL.
 */
import type { SqlError } from "@effect/sql/SqlError"
import { Duration, Effect, Option, type Scope } from "effect"
import type { StoreError } from "../../domain/errors.js"
import { now as ownTime } from "../../internal/now.js"
import { isTerminal } from "../../domain/RunStatus.js"
import * as Work from "../../domain/Work.js"
import type { ChangeNotifier } from "../port/ChangeNotifier.js"
import type { ClusterStore, OwnerStore, Service } from "../port/RunStoreService.js"
import * as Page from "../rules/Page.js"
import * as searchText from "../rules/searchText.js"
import { SearchRedaction } from "../rules/SearchRedaction.js"
import * as stepWrites from "./stepWrites.js"
import * as SqlOutbox from "./SqlOutbox.js"
import type { Guard } from "./Guard.js"
import type { Connection } from "./Dialect.js"
import * as childWrites from "./childWrites.js"
import * as clusterWrites from "./clusterWrites.js"
import * as decisionWrites from "./decisionWrites.js"
import * as events from "./events.js"
import * as groupWrites from "./groupWrites.js"
import * as idempotencyKeys from "./idempotencyKeys.js"
import * as jobStores from "./jobStores.js"
import * as keys from "./keys.js"
import * as Kinds from "./kinds.js"
import * as Lanes from "./Lanes.js"
import * as listing from "./listing.js"
import * as owners from "./owners.js"
import * as producers from "./producers.js"
import * as queue from "./queue.js"
import * as queueListing from "./queueListing.js"
import * as retentionWrites from "./retentionWrites.js"
import * as runs from "./runs.js"
import * as runWrites from "./runWrites.js"
import * as schedules from "./schedules.js"
import * as search from "./search.js"
import * as SearchIndexer from "./SearchIndexer.js"
import type { Session } from "./Session.js"
import * as signals from "./signals.js"
import * as subscriberWrites from "./subscriberWrites.js"
import * as taskProgress from "./taskProgress.js"

/** The parts of a store. The schema has to be up to date. */
export interface Options extends subscriberWrites.Locking {
  readonly session: Session
  /** The session of the application, which may be the same. */
  readonly application: Session
  readonly notifier: ChangeNotifier
  readonly guard: Guard
  readonly isWritable: boolean
  /** Whether others may commit to the database. */
  readonly isShared: boolean
  /** The clock of the database, where several machines use it; the `Clock` by default. */
  readonly clock?: Pick<Service, "now" | "clockAhead">
  /** Whether those others may be on other machines. */
  readonly spansMachines: boolean
  /** Renews a node of a cluster outside the writer, whose queue may be long. */
  readonly heartbeat?: ClusterStore["renew"]
  /** Watches for runs and requests of producers in other processes. */
  readonly watch: producers.Watch
  /** Watches for events that other processes commit. */
  readonly watchChanges: producers.Watch
  /** Acquires the ownership of a kind, which these operations record. */
  readonly acquire: (owners: Omit<OwnerStore, "acquire">) => OwnerStore["acquire"]
}

export const make = ({
  acquire,
  application,
  clock = { now: ownTime, clockAhead: Effect.succeed(0) },
  guard,
  heartbeat,
  isShared,
  isWritable,
  lockSubscriber,
  notifier,
  renewSubscriber,
  session,
  spansMachines,
  watch,
  watchChanges
}: Options): Effect.Effect<Service, StoreError, Scope.Scope> =>
  Effect.gen(function* () {
    const lanes = yield* Lanes.make({ session, notifier, guard })
    const { write } = lanes
    const redact = yield* SearchRedaction
    const indexer = isWritable ? yield* SearchIndexer.make({ session, write, redact }) : SearchIndexer.none
    const kinds = Kinds.make({ session, lanes, notifier })
    const { begin, create, queueCommitted, record, ...writes } = runWrites.make(lanes, kinds, clock.now)
    const retention = yield* retentionWrites.make({ indexer, lanes, notifier, now: clock.now, session })

    const writeStatements = <A>(operation: string, body: (connection: Connection) => Effect.Effect<A, SqlError>) =>
      write<A, never>({ operation, lane: "fast", body: (batch) => Effect.flatMap(batch.connection, body) })

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
          ? search.page(session, pageQuery, words, redact)
          : session.read("list runs", (connection) => listing.pageOf(connection, pageQuery))
      })

    return {
      ...clock,
      outsideTransaction: session.outsideTransaction,
      oldestWrite: Effect.map(lanes.age, Duration.millis),
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

      lifecycle: (jobId) => session.read("read events", (connection) => events.lifecycleOf(connection, jobId)),

      allEvents: ({ kind, ...query }) =>
        Effect.flatMap(Page.limit("read events", query), (limit) =>
          session.read("read events", (connection) => events.ofAll(connection, kind, query.after, limit))
        ),

      latestCursor: session.read("read events", events.latest),

      ...writes,
      ...retention,
      create: (run) => Effect.zipLeft(create(run), indexer.written),
      begin: (beginning) => Effect.zipLeft(begin(beginning), indexer.written),
      record: (change) =>
        change.error === undefined ? record(change) : Effect.zipLeft(record(change), indexer.written),

      holder: (key) => session.read("read a key", (connection) => keys.holder(connection, key)),
      keys: (id) => session.read("read the keys of a run", (connection) => keys.ofRun(connection, id)),
      ownKeys: (id) => session.read("read the keys of a run", (connection) => runs.ownKeys(connection, id)),
      idempotent: ({ key, kind }) =>
        session.read("read an idempotency key", (connection) => idempotencyKeys.find(connection, kind, key)),
      waiting: (kind) => Effect.sync(() => notifier.waiting(kind)),
      due: (query) => session.read("list waiting runs", (connection) => queue.due(connection, query)),
      countDue: (query) => session.read("count waiting runs", (connection) => queue.countDue(connection, query)),
      pending: (kind) => session.read("count waiting runs", (connection) => queue.pending(connection, kind)),
      backlog: (kind) => session.read("count waiting runs", (connection) => queue.backlog(connection, kind)),
      countByStatus: (kind) => session.read("count runs", (connection) => queue.countByStatus(connection, kind)),
      nextDueAt: (kind) => session.read("read a due time", (connection) => queue.nextDueAt(connection, kind)),
      signals: (query) =>
        Effect.flatMap(Page.limit("list signals", query), (limit) =>
          session.read("list signals", (connection) => signals.list(connection, { ...query, limit }))
        ),
      latestSignal: ({ jobId, name }) =>
        session.read("read a signal", (connection) => signals.latest(connection, jobId, name)),

      outbox: SqlOutbox.make({
        isShared,
        now: clock.now,
        application,
        committed: notifier.committed,
        session,
        guard,
        handOn: lanes.handOn,
        regroup: lanes.regroup,
        queueCommitted
      }),

      owners: { ...ownerStore, acquire: acquire(ownerStore) },
      kinds: kinds.store,
      groups: groupWrites.make({ session, lanes }),
      producers: producers.make({ session, guard, lanes, notifier, watch, watchChanges }),
      schedules: schedules.make({ session, lanes }),
      subscribers: subscriberWrites.make({ lanes, lockSubscriber, notifier, renewSubscriber, session }),
      cluster: clusterWrites.make({ heartbeat, owner: ownerStore.get, session, lanes, indexer }),

      steps: stepWrites.make({ session, write }),
      children: childWrites.make({ session, lanes, submitRun: producers.submitRun }),
      decisions: decisionWrites.make({ lanes, session }),
      ...jobStores.make({ session, spansMachines, write, indexer })
    }
  })
