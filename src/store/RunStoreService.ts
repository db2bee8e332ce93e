/**
 * The interface of a run store. The SQL and the in-memory implementation pass one conformance suite.
 *
 * @since 0.1.0
 */
import type { DateTime, Effect, Option, Scope } from "effect"
import type {
  IdempotencyKeyReused,
  JobConflict,
  JobEnded,
  JobNotFound,
  QueueFull,
  StoreError,
  Superseded,
  TooManySignals
} from "../domain/errors.js"
import type { JobEvent, Lifecycle } from "../domain/JobEvent.js"
import type { JobId } from "../domain/JobId.js"
import type { Parked, Run, RunError, RunTrace } from "../domain/Run.js"
import type { RecordedSignal } from "../domain/RecordedSignal.js"
import type { RunStatus } from "../domain/RunStatus.js"
import type { PrunedRuns, Retention } from "../domain/Retention.js"
import type { WhenKeyTaken } from "../domain/StartOptions.js"
import type { Work } from "../domain/Work.js"
import type { AgentLimitStore } from "./AgentLimitStore.js"
import type { ChildProcessStore } from "./ChildProcessStore.js"
import type { OwnerStore } from "./OwnerStore.js"
import type { Notifier, Waiting } from "./ChangeNotifier.js"
import type { TaskProgressStore } from "./TaskProgressStore.js"

/**
 * The operations of a run store. Failures of the database are a `StoreError`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** The run with this id, of any kind. */
  readonly get: (id: JobId) => Effect.Effect<Option.Option<Run>, StoreError>

  /** The run with this id, of any kind, with its units and tasks. */
  readonly withWork: (id: JobId) => Effect.Effect<Option.Option<RunWithWork>, StoreError>

  /** The submission data of a run beside its configuration; read separately, since it may be megabytes. */
  readonly submission: (id: JobId) => Effect.Effect<Option.Option<unknown>, StoreError>

  /** A page of runs, newest first. */
  readonly page: (query?: RunQuery) => Effect.Effect<RunPage, StoreError>

  /** The runs of `page`. */
  readonly list: (query?: RunQuery) => Effect.Effect<ReadonlyArray<Run>, StoreError>

  /**
   * A page of the events of a job with a sequence number above `after`; none if the run does not exist. A page of events
   * holds at most 1,000 events and payloads of about 1 MiB.
   */
  readonly events: (query: {
    readonly kind: string
    readonly jobId: JobId
    readonly after: number
    readonly limit: number
  }) => Effect.Effect<Option.Option<EventPage>, StoreError>

  /** A page of the events of all jobs of a kind. */
  readonly allEvents: (query: {
    readonly kind: string
    readonly after: number
    readonly limit: number
  }) => Effect.Effect<CursorPage, StoreError>

  /** The latest cursor, also where its event was pruned; 0 when there never was one. */
  readonly latestCursor: Effect.Effect<number, StoreError>

  /** The id of the newest run, also where that was pruned. */
  readonly latestId: Effect.Effect<Option.Option<JobId>, StoreError>

  /** Notifies of commits with events of this job (without an id: of any job). */
  readonly changes: (jobId?: JobId) => Effect.Effect<Notifier, never, Scope.Scope>

  /** Unfinished runs of a kind, oldest first; for the next page pass the last id as `after`. */
  readonly unfinished: (query: {
    readonly kind: string
    readonly status?: RunStatus
    readonly after?: JobId
    readonly limit: number
  }) => Effect.Effect<ReadonlyArray<UnfinishedRun>, StoreError>

  /**
   * Records a new run with its first event, as `running`, or as `pending` where it has to wait. What decides is read in the
   * same transaction.
   */
  readonly create: (run: NewRun) => Effect.Effect<Created, JobConflict | QueueFull | IdempotencyKeyReused | StoreError>

  /**
   * Records a state change together with its event; fails unless the attempt is the current one. Answers the type of that
   * event: a run that parks or is interrupted while the intent to stop it is recorded is cancelled instead.
   */
  readonly record: (change: Change) => Effect.Effect<Change["type"], Superseded | StoreError>

  /**
   * Begins the attempt of a run that waits: the first of a pending run, the next of an interrupted or a parked one. Fails
   * unless that attempt is the one to begin. `waits`: the key is another job's, and the run waits behind it.
   */
  readonly begin: (beginning: Beginning) => Effect.Effect<"running" | "waits", Superseded | StoreError>

  /** The job that holds a key, if any. */
  readonly holder: (key: Key) => Effect.Effect<Option.Option<Holder>, StoreError>

  /** The keys of a run; none if it is over. */
  readonly keys: (id: JobId) => Effect.Effect<ReadonlyArray<HeldKey>, StoreError>

  /** The run that was started with an idempotency key. */
  readonly idempotent: (query: {
    readonly kind: string
    readonly key: string
  }) => Effect.Effect<Option.Option<Submitted>, StoreError>

  /** Notifies of commits after which a run of this kind may wait for a permit, or for an earlier time. */
  readonly waiting: (kind: string) => Effect.Effect<Waiting>

  /**
   * The first of the runs that wait for a permit, in the order in which they begin: priority, then interrupted before parked
   * before pending, then id.
   */
  readonly due: (query: {
    readonly kind: string
    readonly statuses: ReadonlyArray<"interrupted" | "parked" | "pending">
    readonly limit: number
  }) => Effect.Effect<ReadonlyArray<UnfinishedRun>, StoreError>

  /** How many runs of this kind are pending. */
  readonly pending: (kind: string) => Effect.Effect<number, StoreError>

  /** The oldest pending run of this kind, and how many are parked, of which at most 10,000 are counted. */
  readonly backlog: (kind: string) => Effect.Effect<Backlog, StoreError>

  /** The earliest time that a run of this kind waits for. */
  readonly nextDueAt: (kind: string) => Effect.Effect<Option.Option<DateTime.Utc>, StoreError>

  /** The runs whose time has come wait for a permit from now on; at most 1,000 at once. Answers how many. */
  readonly wakeDue: (query: { readonly kind: string; readonly at: DateTime.Utc }) => Effect.Effect<number, StoreError>

  /** A parked run waits for a permit from now on; fails unless it is parked. */
  readonly wake: (jobId: JobId) => Effect.Effect<void, Superseded | StoreError>

  /** Records a signal with its event; a parked run that waits for it waits for a permit from now on. */
  readonly signal: (signal: NewSignal) => Effect.Effect<void, JobNotFound | JobEnded | TooManySignals | StoreError>

  /** The signals of a job in order, after the `seq` `after`; at most `limit`. */
  readonly signals: (query: {
    readonly jobId: JobId
    readonly after: number
    readonly limit: number
  }) => Effect.Effect<ReadonlyArray<RecordedSignal>, StoreError>

  /** The payload of the newest signal of a name. */
  readonly latestSignal: (query: {
    readonly jobId: JobId
    readonly name: string
  }) => Effect.Effect<Option.Option<unknown>, StoreError>

  /** Appends emitted events; fails unless the attempt is the current one and running. */
  readonly append: (emitted: {
    readonly jobId: JobId
    readonly attempt: number
    readonly events: ReadonlyArray<AcceptedEvent>
  }) => Effect.Effect<void, Superseded | StoreError>

  /** Keeps a run whatever the retention of its kind says. */
  readonly pin: (id: JobId) => Effect.Effect<void, JobNotFound | StoreError>

  /** The retention of its kind holds for a run again. */
  readonly unpin: (id: JobId) => Effect.Effect<void, JobNotFound | StoreError>

  /** Sets how long the runs of a kind are kept, for as long as the scope lives. */
  readonly retain: (rule: Rule) => Effect.Effect<void, never, Scope.Scope>

  /** Prunes finished runs as the retention of their kinds says. */
  readonly prune: (options?: PruneOptions) => Effect.Effect<ReadonlyArray<PrunedRuns>, StoreError>

  /** Counts how often runs were pruned: pages that were read before may hold events of theirs. */
  readonly prunings: Effect.Effect<number>

  /** Dies inside a transaction of the same SQL client, where a write would deadlock. */
  readonly outsideTransaction: Effect.Effect<void>

  /** None where there are no transactions of an application: in memory. */
  readonly outbox: Option.Option<Outbox>

  readonly owners: OwnerStore

  /** The child processes of jobs. */
  readonly childProcesses: ChildProcessStore

  /** The units and tasks of jobs. */
  readonly work: TaskProgressStore

  /** The usage limits of agents. */
  readonly agentLimits: AgentLimitStore
}

/**
 * The runs of a kind that wait.
 *
 * @since 0.2.0
 * @category models
 */
export interface Backlog {
  readonly oldest: Option.Option<JobId>
  readonly parked: number
}

/**
 * Runs that transactions of the application insert, together with the application's own writes. Such a run is in the outbox,
 * without an event, until the manager has seen the commit.
 *
 * @since 0.2.0
 * @category models
 */
export interface Outbox {
  /** Whether others may commit to the database, so that it has to be polled. */
  readonly isShared: boolean

  /** Notifies of committed runs of a kind where the database tells of commits; elsewhere never. */
  readonly committed: (kind: string) => Notifier

  /**
   * Runs `inside` inside a transaction of the application's SQL client, and otherwise `outside`, apart from a transaction of
   * any other client.
   */
  readonly byTransaction: <A, E>(effects: {
    readonly inside: Effect.Effect<A, E>
    readonly outside: Effect.Effect<A, E>
  }) => Effect.Effect<A, E>

  /**
   * Inserts a pending run by the transaction that the caller is inside, after reading what decides. Answers its id, or that of
   * the run with its idempotency key.
   */
  readonly insert: (run: NewRun) => Effect.Effect<JobId, JobConflict | QueueFull | IdempotencyKeyReused | StoreError>

  /**
   * Waits for the end of a transaction that is open, and appends `job.queued` to the runs of a kind that were committed; to at
   * most 1,000 at once. Answers how many.
   */
  readonly queue: (kind: string) => Effect.Effect<number, StoreError>
}

/**
 * A run with its units and tasks.
 *
 * @since 0.1.0
 * @category models
 */
export interface RunWithWork {
  readonly run: Run
  readonly work: Work
}

/**
 * Filters of a page of runs.
 *
 * @since 0.1.0
 * @category models
 */
export interface RunQuery {
  readonly kind?: string
  readonly status?: RunStatus
  /** The run must have all of these. */
  readonly labels?: { readonly [name: string]: string }
  /**
   * Text to search for, at most 200 characters: the run must have all of its words, or words that begin with them, in its labels,
   * its config, its error or the titles of its tasks. Case and diacritics do not count.
   */
  readonly q?: string
  /**
   * `queue`: the pending runs of a kind, in the order in which they would begin: those that wait for a permit, then those that wait
   * for a time, then those behind a key. `before` means after that run then. It goes with `kind`, the status `pending` and no
   * other filter. Newest first when it is left out.
   */
  readonly order?: "queue"
  /** Default 100, at most 1,000. */
  readonly limit?: number
  readonly before?: JobId
}

/**
 * How long the runs of a kind are kept.
 *
 * @since 0.2.0
 * @category models
 */
export interface Rule {
  readonly kind: string
  readonly retention: Retention
  /** Removes what is kept of a pruned job outside the store. A run for which it fails stays hidden, and is tried again. */
  readonly forget: (id: JobId) => Effect.Effect<void, unknown>
}

/**
 * What to prune.
 *
 * @since 0.2.0
 * @category options
 */
export interface PruneOptions {
  /** All kinds with a retention when it is left out. */
  readonly kind?: string | undefined
  /** Answers what would be pruned, and changes nothing. */
  readonly dryRun?: boolean | undefined
}

/**
 * A page of runs.
 *
 * @since 0.1.0
 * @category models
 */
export interface RunPage {
  readonly runs: ReadonlyArray<Run>
  /**
   * Pass it as `before` for the next page; none on the last page. A page with a next one may be short or even empty: for
   * several labels a page scans at most 10,000 runs of the rarest label, and a search stops after about 0.1 s.
   */
  readonly next: Option.Option<JobId>
}

/**
 * A page of the events of a run.
 *
 * @since 0.1.0
 * @category models
 */
export interface EventPage {
  readonly events: ReadonlyArray<JobEvent>
  /** Whether the run had ended when the page was read. */
  readonly ended: boolean
  /** Whether there may be more to read. */
  readonly more: boolean
  /** Payload bytes read from the database; 0 for the in-memory store. */
  readonly size: number
}

/**
 * A page of the events of all runs of a kind.
 *
 * @since 0.1.0
 * @category models
 */
export interface CursorPage {
  readonly events: ReadonlyArray<JobEvent>
  /** Where the next page starts; events of other kinds are skipped. */
  readonly cursor: number
  /** Whether there may be more to read. */
  readonly more: boolean
  /** Payload bytes read from the database; 0 for the in-memory store. */
  readonly size: number
}

/**
 * A run without a terminal status, for recovery.
 *
 * @since 0.1.0
 * @category models
 */
export interface UnfinishedRun {
  readonly run: Run
  /** Whether `job.stopping` is committed for the current attempt. */
  readonly stopping: boolean
  /** Consecutive attempts that crashed without an event of the orchestrator. */
  readonly crashes: number
}

/**
 * A run to insert.
 *
 * @since 0.1.0
 * @category models
 */
export interface NewRun {
  readonly id: JobId
  readonly kind: string
  /** The key of `check`. */
  readonly key: string | undefined
  readonly config: unknown
  readonly labels: { readonly [name: string]: string }
  /** JSON text, encoded once, since it may be megabytes. */
  readonly submission?: string | undefined
  /** What is searched instead of labels and config, where some of these is secret; JSON text of `{ labels, config }`. */
  readonly searched?: string | undefined
  readonly at: DateTime.Utc
  /** The key of the caller's options, a second one. */
  readonly startKey?: string | undefined
  /** What to do where another job holds one of the keys; `refuse` by default. */
  readonly whenKeyTaken?: WhenKeyTaken | undefined
  /** 0 by default. */
  readonly priority?: number | undefined
  readonly startAt?: DateTime.Utc | undefined
  readonly idempotency?: { readonly key: string; readonly request: string } | undefined
  /** Whether it waits for a permit, rather than has one. */
  readonly isQueued?: boolean | undefined
  /** How many pending runs there may be; without a limit by default. */
  readonly maxQueued?: number | undefined
  readonly trace?: RunTrace | undefined
}

/**
 * What came of a run to insert: it runs, it waits, or another run was there before.
 *
 * @since 0.2.0
 * @category models
 */
export type Created =
  | { readonly _tag: "Running" }
  | {
      readonly _tag: "Pending"
      /** Running jobs whose intent to stop was recorded, since it replaces them. */
      readonly replaces: ReadonlyArray<JobId>
    }
  | { readonly _tag: "Existing"; readonly id: JobId }

/**
 * A key of a kind: that of `check`, or that of the caller's options.
 *
 * @since 0.2.0
 * @category models
 */
export interface Key {
  readonly kind: string
  readonly of: "key" | "startKey"
  readonly key: string
}

/**
 * A job that holds a key.
 *
 * @since 0.2.0
 * @category models
 */
export interface Holder {
  readonly id: JobId
  readonly status: RunStatus
}

/**
 * A key of a run, and the job that holds it: the run itself, or the one that it waits behind.
 *
 * @since 0.2.0
 * @category models
 */
export interface HeldKey extends Omit<Key, "kind"> {
  readonly holder: Holder
}

/**
 * A run that was started with an idempotency key.
 *
 * @since 0.2.0
 * @category models
 */
export interface Submitted {
  readonly id: JobId
  readonly request: string
}

/**
 * A signal to insert.
 *
 * @since 0.2.0
 * @category models
 */
export interface NewSignal {
  readonly kind: string
  readonly jobId: JobId
  readonly name: string
  /** JSON text. */
  readonly payload: string | undefined
  /** Who sent it, as the sender says. */
  readonly by: string | undefined
  /** How many a job keeps since it last began. */
  readonly limit: number
  readonly at: DateTime.Utc
}

/**
 * A state change of the current attempt, named after its event.
 *
 * @since 0.1.0
 * @category models
 */
export interface Change {
  readonly type: Exclude<Lifecycle, "job.queued" | "job.started" | "job.resumed">
  readonly jobId: JobId
  readonly attempt: number
  readonly at: DateTime.Utc
  /** With `job.interrupted`: whether the manager crashed. */
  readonly crashed?: boolean
  /** With `job.parked`. */
  readonly parked?: Parked | undefined
  /** With `job.completed`: JSON. */
  readonly result?: unknown
  /** With `job.failed` and `job.cancelled`. */
  readonly error?: RunError | undefined
}

/**
 * The beginning of an attempt of a run that waits.
 *
 * @since 0.2.0
 * @category models
 */
export interface Beginning {
  readonly jobId: JobId
  /** The attempt that begins. */
  readonly attempt: number
  /** The key of `check`, which takes effect only where the run has none yet. */
  readonly key: string | undefined
  /** JSON text of the submission of `check`, of a run that was recorded before its first one. */
  readonly submission?: string | undefined
  /** Replaces that of the run; of its first attempt. */
  readonly trace?: RunTrace | undefined
  readonly at: DateTime.Utc
}

/**
 * An event as it is appended to the log.
 *
 * @since 0.1.0
 * @category models
 */
export interface AcceptedEvent {
  readonly at: DateTime.Utc
  readonly type: string
  readonly unit?: string | undefined
  readonly task?: number | undefined
  /** JSON text, encoded when the event was accepted, so that later mutations do not affect it. */
  readonly payload?: string | undefined
}
