/**
 * The interface of a run store, which both databases implement: first the whole, then its parts.
 *
 * @since 0.1.0
 */
import type { SqlError } from "@effect/sql/SqlError"
import type { DateTime, Duration, Effect, Option, Scope } from "effect"
import type { AgentLimit } from "../../domain/AgentLimit.js"
import type { Cost } from "../../domain/Cost.js"
import type { JobEvent, Lifecycle } from "../../domain/JobEvent.js"
import type { JobId } from "../../domain/JobId.js"
import type { Question } from "../../domain/Question.js"
import type { OnParentStop, RecordedChild } from "../../domain/RecordedChild.js"
import type { RecordedSignal } from "../../domain/RecordedSignal.js"
import type { RecordedStep } from "../../domain/RecordedStep.js"
import type { PrunedRuns, Retention } from "../../domain/Retention.js"
import type { Parked, PausedKind, Progress, Run, RunError, RunTrace } from "../../domain/Run.js"
import type { RunStatus } from "../../domain/RunStatus.js"
import type { Schedule } from "../../domain/Schedule.js"
import type { Sender } from "../../domain/Sender.js"
import type { WhenKeyTaken } from "../../domain/StartOptions.js"
import type { Subscriber } from "../../domain/Subscriber.js"
import type { TurnStreak } from "../../domain/TurnStreak.js"
import type { TaskCounts, TaskRecord, UnitRecord, Work } from "../../domain/Work.js"
import type {
  AlreadyAnswered,
  AlreadyManaged,
  AlreadySubscribed,
  IdempotencyKeyReused,
  InvalidJobConfig,
  JobConflict,
  JobEnded,
  JobNotFound,
  KindPaused,
  MaxJobsReached,
  NoOpenQuestion,
  NodeConflict,
  NotRemovable,
  NotReschedulable,
  QueueFull,
  ScheduleNotFound,
  StoreError,
  SubscriberInUse,
  SubscriberNotFound,
  Superseded,
  TooManySignals
} from "../../domain/errors.js"
import type { ProcessIdentity } from "../../internal/ProcessIdentity.js"
import type { Notifier, Waiting } from "./ChangeNotifier.js"

/**
 * The operations of a run store. Failures of the database are a `StoreError`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service extends RunReads, RunWrites, RunKeys, RunQueue, RunSignals, RunRetention {
  /** The time that counts for what is recorded, due or pruned: of the `Clock`, or where machines share a database, of its clock. */
  readonly now: Effect.Effect<DateTime.Utc>

  /** By how many milliseconds the clock of this machine is ahead of that clock; negative if it is behind, 0 if they agree. */
  readonly clockAhead: Effect.Effect<number>

  /** Dies inside a transaction of the same SQL client, where a write would deadlock. */
  readonly outsideTransaction: Effect.Effect<void>

  /** How long the oldest waiting write has been tried; zero if none waits. */
  readonly oldestWrite: Effect.Effect<Duration.Duration>

  /** The runs that transactions of the application insert. In memory applications have no transactions. */
  readonly outbox: Outbox

  readonly owners: OwnerStore

  /** The pauses of kinds. */
  readonly kinds: KindStore

  /** The groups of kinds. */
  readonly groups: GroupStore

  /** What producers write, and what managers take up. */
  readonly producers: ProducerStore

  /** The schedules of jobs. */
  readonly schedules: ScheduleStore

  /** The cursors of subscribers. */
  readonly subscribers: SubscriberStore

  /** The nodes of a cluster. */
  readonly cluster: ClusterStore

  /** The child processes of jobs. */
  readonly childProcesses: ChildProcessStore

  /** The units and tasks of jobs. */
  readonly work: TaskProgressStore

  /** The usage limits of agents. */
  readonly agentLimits: AgentLimitStore

  /** The questions of agents. */
  readonly questions: QuestionStore

  /** The steps of jobs. */
  readonly steps: StepStore

  /** The children of jobs. */
  readonly children: ChildStore

  /** The decisions about executions of workflows. */
  readonly decisions: DecisionStore
}

// The reads of a run store.

/**
 * Read operations on runs.
 *
 * @since 0.2.0
 * @category models
 */
export interface RunReads {
  /** The run with this id, of any kind. */
  readonly get: (id: JobId) => Effect.Effect<Option.Option<Run>, StoreError>

  /** The run with this id, of any kind, with its units and tasks. */
  readonly withWork: (id: JobId) => Effect.Effect<Option.Option<RunWithWork>, StoreError>

  /** The submission data of a run beside its configuration; it is read separately, since it may be megabytes. */
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

  /** The events of a job that changed its status, oldest first. It scans the log of the job, so it is meant for continued jobs. */
  readonly lifecycle: (jobId: JobId) => Effect.Effect<ReadonlyArray<JobEvent>, StoreError>

  /** A page of the events of all jobs of a kind. */
  readonly allEvents: (query: {
    readonly kind: string
    readonly after: number
    readonly limit: number
  }) => Effect.Effect<CursorPage, StoreError>

  /** The latest cursor, even if its event was pruned; 0 if there never was one. */
  readonly latestCursor: Effect.Effect<number, StoreError>

  /** The id of the newest run, even if that was pruned. */
  readonly latestId: Effect.Effect<Option.Option<JobId>, StoreError>

  /** Notifies of commits with events of this job; without an id, of any job. */
  readonly changes: (jobId?: JobId) => Effect.Effect<Notifier, never, Scope.Scope>

  /** Unfinished runs of a kind, oldest first; for the next page pass the last id as `after`. */
  readonly unfinished: (query: {
    readonly kind: string
    readonly status?: RunStatus
    readonly after?: JobId
    readonly limit: number
  }) => Effect.Effect<ReadonlyArray<UnfinishedRun>, StoreError>
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
  /** The labels that the run must have. */
  readonly labels?: { readonly [name: string]: string }
  /** Only runs that another run retries (`Run.retriedAs`), or with `false` only the others. */
  readonly retried?: boolean
  /** Only failed children that their parents handle (`Run.handled`), or with `false` only the others. */
  readonly handled?: boolean
  /**
   * Text to search for, at most 200 characters: the run must have all of its words, or words that begin with them, in its labels,
   * its config, its error or the titles of its tasks. Case and diacritics are ignored.
   */
  readonly q?: string
  /**
   * `queue`: the pending runs of a kind, in the order in which they would begin: first the runs that wait for a permit, then for a
   * time, then behind a key. `before` then means after that run. It needs `kind` and the status `pending`, and
   * allows no other filter. Newest first by default.
   */
  readonly order?: "queue"
  /** The maximum number of runs: 100 by default, at most 1,000. */
  readonly limit?: number
  readonly before?: JobId
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
   * Pass it as `before` for the next page; none on the last page. A page before the last may be short or even empty: for
   * several labels, or with `retried` or `handled`, a page scans at most 10,000 runs, and a search stops after about 0.1 s.
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
  /** The cursor at which the next page starts; events of other kinds are skipped. */
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

// The writes of a run store: each is one transaction with its event.

/**
 * Write operations of managers on runs.
 *
 * @since 0.2.0
 * @category models
 */
export interface RunWrites {
  /**
   * Records a new run with its first event, as `running`, or as `pending` if it has to wait. The same transaction decides which, and
   * fails with `KindPaused` if the run would begin though its kind is paused, and with `MaxJobsReached` if its group is full.
   */
  readonly create: (
    run: NewRun
  ) => Effect.Effect<Created, JobConflict | KindPaused | MaxJobsReached | QueueFull | IdempotencyKeyReused | StoreError>

  /**
   * Records the idempotency key of a request that attaches to another job, for as long as that run is kept, and returns the job;
   * none if no job holds the key any more. For a recorded idempotency key, it returns the run of that key.
   */
  readonly attach: (attaching: Attaching) => Effect.Effect<Option.Option<JobId>, IdempotencyKeyReused | StoreError>

  /**
   * Records a state change together with its event; fails unless the attempt is the current one. Returns the type of that
   * event: a run that parks or is interrupted while its stop intent is recorded is cancelled instead.
   */
  readonly record: (change: Change) => Effect.Effect<Change["type"], Superseded | StoreError>

  /** The change as `record` records it, if that differs, for example without secrets. */
  readonly asRecorded?: (change: Change) => Change

  /**
   * Begins the attempt of a waiting run: the first of a pending run, the next of an interrupted or parked run. Fails unless that attempt is
   * the one to begin, if the kind is paused and the attempt is not for a stop, if its group is full, and in a cluster if no more jobs may
   * run. `waits`: another job holds the key, and the run waits behind it. `stopping`: it runs, for a stop that has woken it.
   */
  readonly begin: (
    beginning: Beginning
  ) => Effect.Effect<"running" | "stopping" | "waits", KindPaused | MaxJobsReached | Superseded | StoreError>

  /** Appends emitted events; fails unless the attempt is the current one and running. */
  readonly append: (emitted: {
    readonly jobId: JobId
    readonly attempt: number
    readonly events: ReadonlyArray<AcceptedEvent>
  }) => Effect.Effect<void, Superseded | StoreError>

  /**
   * Replaces the progress of a run, without an event; fails unless the attempt is the current one and running. Returns the progress as
   * it is recorded: its text is cut, and without secrets.
   */
  readonly progress: (reported: NewProgress) => Effect.Effect<Progress, Superseded | StoreError>
}

/**
 * The progress that an attempt has reported.
 *
 * @since 0.2.0
 * @category models
 */
export interface NewProgress {
  readonly jobId: JobId
  readonly attempt: number
  /** The number of retries of the run: a later one begins without progress. */
  readonly tries: number
  readonly progress: Progress
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
  /** The key that `check` returned. */
  readonly key: string | undefined
  readonly config: unknown
  readonly labels: { readonly [name: string]: string }
  /** The submission as JSON text, encoded once, since it may be megabytes. */
  readonly submission?: string | undefined
  /** JSON text of `{ labels, config }` to search in place of labels and config, if these contain secrets. */
  readonly searched?: string | undefined
  readonly at: DateTime.Utc
  /** The group, whose running jobs are limited. */
  readonly group?: string | undefined
  /** The second key, from the caller's options. */
  readonly startKey?: string | undefined
  /** What to do if another job holds one of the keys; `refuse` by default. */
  readonly whenKeyTaken?: WhenKeyTaken | undefined
  /** The priority; 0 by default. */
  readonly priority?: number | undefined
  readonly startAt?: DateTime.Utc | undefined
  readonly idempotency?: Idempotency | undefined
  /** Whether the run waits for a permit, rather than has one. */
  readonly isQueued?: boolean | undefined
  /** The maximum number of pending runs; without a limit by default. */
  readonly maxQueued?: number | undefined
  readonly trace?: RunTrace | undefined
  /** The run that this one retries. */
  readonly retryOf?: RetryOf | undefined
  /** Who has asked for the retry, or the schedule that starts it. */
  readonly sender?: Sender | undefined
  /** The job that starts it, and that its end wakes. */
  readonly parent?: JobId | undefined
}

/**
 * The run that a new one retries. If it has been retried already, the result of `create` is the run that retries it.
 *
 * @since 0.2.0
 * @category models
 */
export interface RetryOf {
  readonly id: JobId
  /** Whether nothing is taken over: the new run begins a chain. */
  readonly fresh: boolean
  /** Whether the new run is recorded even if that run has been retried already; it then does not refer to it. */
  readonly mayRepeat?: boolean
}

/**
 * The result of `create`: the run is running, it is pending, or another run existed before.
 *
 * @since 0.2.0
 * @category models
 */
export type Created =
  | { readonly _tag: "Running" }
  | {
      readonly _tag: "Pending"
      /** Running jobs that this run replaces; their stop intent is already recorded. */
      readonly replaces: ReadonlyArray<JobId>
    }
  | { readonly _tag: "Existing"; readonly id: JobId }

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
  /** Whether the change applies only if the run waits: another node may have begun its attempt meanwhile. */
  readonly ofWaiting?: boolean
  /** With `job.interrupted`: whether the manager crashed. */
  readonly crashed?: boolean
  /** With `job.interrupted`: whether a run that is being stopped is due for another attempt at its stop, rather than cancelled. */
  readonly continuesStop?: boolean
  /** With `crashed`: the commands of the job that were running at the crash, by their purposes. */
  readonly during?: ReadonlyArray<string>
  /** With `job.parked`: the reason and what the run waits for. */
  readonly parked?: Parked | undefined
  /** With `job.completed`: the success value, as JSON. */
  readonly result?: unknown
  /** With `job.timeout`: the time limit of an attempt. */
  readonly limit?: Duration.Duration
  /** With `job.stopping`, and with `job.cancelled` of a run that waits: who stops it. */
  readonly sender?: Sender | undefined
  /** With `job.failed` and `job.cancelled`: the error. With `job.parked`: the error of an attempt that is retried. */
  readonly error?: RunError | undefined
}

/**
 * The beginning of an attempt of a waiting run.
 *
 * @since 0.2.0
 * @category models
 */
export interface Beginning {
  readonly jobId: JobId
  /** The attempt that begins. */
  readonly attempt: number
  /** Whether a person has resumed the run; what has woken a parked run is recorded already. */
  readonly isResumed?: boolean
  /** With `isResumed`: who has resumed it. */
  readonly sender?: Sender | undefined
  /** The key that `check` returned; it takes effect only if the run has none yet. */
  readonly key: string | undefined
  /** JSON text of the submission that `check` returned, for a run that is first checked when it begins. */
  readonly submission?: string | undefined
  /** The trace that replaces the trace of the run, when its first attempt begins. */
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
  /** The payload as JSON text, encoded when the event was accepted, so that later mutations do not affect it. */
  readonly payload?: string | undefined
}

// The keys that runs hold, and the idempotency keys that keep a start from being done twice.

/**
 * Read operations on keys.
 *
 * @since 0.2.0
 * @category models
 */
export interface RunKeys {
  /** The job that holds a key, if any. */
  readonly holder: (key: Key) => Effect.Effect<Option.Option<Holder>, StoreError>

  /** The keys of a run; none if it is over. */
  readonly keys: (id: JobId) => Effect.Effect<ReadonlyArray<HeldKey>, StoreError>

  /** The keys that a run was started with, even if it is over. */
  readonly ownKeys: (id: JobId) => Effect.Effect<OwnKeys, StoreError>

  /** The run that was started with an idempotency key, or to which a request with the key has attached. */
  readonly idempotent: (query: {
    readonly kind: string
    readonly key: string
  }) => Effect.Effect<Option.Option<Submitted>, StoreError>
}

/**
 * The keys that a run was started with.
 *
 * @since 0.2.0
 * @category models
 */
export interface OwnKeys {
  /** The key of `check`. */
  readonly key: string | undefined
  /** The key of the caller's options. */
  readonly startKey: string | undefined
}

/**
 * A key of a kind: the key of `check`, or the key of the caller's options.
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
  /** What a parked job waits for. */
  readonly parked?: Parked | undefined
}

/**
 * A key of a run, and the job that holds it: the run itself, or the job behind which it waits.
 *
 * @since 0.2.0
 * @category models
 */
export interface HeldKey extends Omit<Key, "kind"> {
  readonly holder: Holder
}

/**
 * The run of an idempotency key, and the first request with the key.
 *
 * @since 0.2.0
 * @category models
 */
export interface Submitted {
  readonly id: JobId
  readonly request: string
}

/**
 * An idempotency key, and what distinguishes its request from others.
 *
 * @since 0.2.0
 * @category models
 */
export interface Idempotency {
  readonly key: string
  readonly request: string
}

/**
 * A request that attaches to the job that holds a key.
 *
 * @since 0.2.0
 * @category models
 */
export interface Attaching {
  readonly to: Key
  readonly idempotency: Idempotency
}

// The runs that wait for a permit, for a time, for a key or for a signal.

/**
 * The maximum number of parked runs that are counted, so that no count reads all runs.
 *
 * @internal
 */
export const countedParked = 10_000

/**
 * The maximum number of ended runs of a status that are counted.
 *
 * @internal
 */
export const countedEnded = 1_000

/**
 * Operations of managers on waiting runs.
 *
 * @since 0.2.0
 * @category models
 */
export interface RunQueue {
  /** Notifies of commits after which a run of this kind may wait for a permit, or for an earlier time. */
  readonly waiting: (kind: string) => Effect.Effect<Waiting>

  /**
   * The first runs that wait for a permit, in the order in which they begin: priority, then interrupted before parked
   * before pending, then id. Of a paused kind only runs that are due for a stop, and none that `version` has refused.
   */
  readonly due: (query: {
    readonly kind: string
    readonly statuses: ReadonlyArray<"interrupted" | "parked" | "pending">
    readonly limit: number
    readonly version?: string | undefined
  }) => Effect.Effect<ReadonlyArray<UnfinishedRun>, StoreError>

  /** The number of runs that wait for a permit and that no version has refused, counted up to `limit`. */
  readonly countDue: (query: Omit<Parameters<RunQueue["due"]>[0], "version">) => Effect.Effect<number, StoreError>

  /** The number of pending runs of this kind. */
  readonly pending: (kind: string) => Effect.Effect<number, StoreError>

  /** The oldest pending run of this kind, and the number of parked runs, counted up to 10,000. */
  readonly backlog: (kind: string) => Effect.Effect<Backlog, StoreError>

  /** The number of runs of this kind in each status; of those that have ended, among the newest 1,000 of the status. */
  readonly countByStatus: (kind: string) => Effect.Effect<Readonly<Record<RunStatus, number>>, StoreError>

  /** The earliest time that a run of this kind waits for. */
  readonly nextDueAt: (kind: string) => Effect.Effect<Option.Option<DateTime.Utc>, StoreError>

  /** Makes runs wait for a permit when their time has come, at most 1,000 at once. Returns how many. */
  readonly wakeDue: (query: { readonly kind: string; readonly at: DateTime.Utc }) => Effect.Effect<number, StoreError>

  /**
   * Makes a parked run wait for a permit: a person, the `sender`, resumes or stops it, or its time comes early. Fails unless it is parked,
   * or interrupted and stopped.
   */
  readonly wake: (
    jobId: JobId,
    by?: "resume" | "stop" | "time",
    sender?: Sender
  ) => Effect.Effect<void, Superseded | StoreError>

  /** Changes the priority of a waiting run, and the start time of a pending one, with its event; none if nothing changes. */
  readonly reschedule: (rescheduling: Rescheduling) => Effect.Effect<void, JobNotFound | NotReschedulable | StoreError>
}

/**
 * The new schedule of a waiting run.
 *
 * @since 0.2.0
 * @category models
 */
export interface Rescheduling {
  readonly kind: string
  readonly jobId: JobId
  /** Stays as it is if it is left out. */
  readonly priority?: number | undefined
  /** None to begin as soon as a permit is free; stays as it is if it is left out. */
  readonly startAt?: Option.Option<DateTime.Utc> | undefined
  /** Who asks for it. */
  readonly sender?: Sender | undefined
  readonly at: DateTime.Utc
}

/**
 * The backlog of waiting runs of a kind.
 *
 * @since 0.2.0
 * @category models
 */
export interface Backlog {
  readonly oldest: Option.Option<JobId>
  readonly parked: number
}

// The signals of jobs.

/**
 * Operations of managers on signals.
 *
 * @since 0.2.0
 * @category models
 */
export interface RunSignals {
  /** Records a signal with its event; a run that has parked for the signal then waits for a permit. */
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
  /** The payload as JSON text. */
  readonly payload: string | undefined
  readonly sender?: Sender | undefined
  /** The maximum number of signals that a job keeps since it last began. */
  readonly limit: number
  /** The request of a producer that this signal applies; it is removed in the same transaction, so that it is applied once. */
  readonly request?: number | undefined
  readonly at: DateTime.Utc
}

// How long finished runs are kept.

/**
 * Operations that decide how long runs are kept, and that prune them.
 *
 * @since 0.2.0
 * @category models
 */
export interface RunRetention {
  /** Keeps a run regardless of the retention of its kind. */
  readonly pin: (id: JobId) => Effect.Effect<void, JobNotFound | StoreError>

  /** Undoes `pin`: the retention of its kind applies to the run again. */
  readonly unpin: (id: JobId) => Effect.Effect<void, JobNotFound | StoreError>

  /** Sets how long the runs of a kind are kept, for as long as the scope lives. */
  readonly retain: (rule: Rule) => Effect.Effect<void, never, Scope.Scope>

  /** Prunes finished runs as the retention of their kinds says. */
  readonly prune: (options?: PruneOptions) => Effect.Effect<ReadonlyArray<PrunedRuns>, StoreError>

  /** The earliest time at which a finished run of a kind is to be pruned. */
  readonly nextExpiry: (kind: string) => Effect.Effect<Option.Option<DateTime.Utc>, StoreError>

  /**
   * Counts the prunings and removals that this process knows of, those of other processes included: pages that were read before one may
   * contain events of runs that are gone.
   */
  readonly prunings: Effect.Effect<number>

  /**
   * Hides a run that is over and all other runs of its chain, for good, and records that they were removed. Returns the runs whose rows
   * are still to be deleted by `deleteHidden`; for a run that was removed before, too.
   */
  readonly remove: (removing: Removing) => Effect.Effect<ReadonlyArray<JobId>, JobNotFound | NotRemovable | StoreError>

  /** Deletes the rows of hidden runs, in slices. A run that cannot be forgotten stays hidden, and the next pruning of its kind deletes it. */
  readonly deleteHidden: (rule: Pick<Rule, "forget">, ids: ReadonlyArray<JobId>) => Effect.Effect<void, StoreError>

  /** Whether runs of a kind are hidden whose rows are still to be deleted. */
  readonly hasHidden: (kind: string) => Effect.Effect<boolean, StoreError>
}

/**
 * A run to remove.
 *
 * @since 0.2.0
 * @category models
 */
export interface Removing {
  readonly kind: string
  readonly jobId: JobId
  /** Whether pinned runs are removed, too. */
  readonly isPinnedToo: boolean
  /** Who removes it. */
  readonly by?: string | undefined
  readonly at: DateTime.Utc
}

/**
 * Why the rows of a run are deleted: its retention is over, or someone has removed it.
 *
 * @since 0.2.0
 * @category models
 */
export type Gone = "pruned" | "removed"

/**
 * How long the runs of a kind are kept.
 *
 * @since 0.2.0
 * @category models
 */
export interface Rule {
  readonly kind: string
  readonly retention: Retention
  /** Removes what is kept of a job outside the store. If it fails, the run stays hidden, and a later pruning retries. */
  readonly forget: (id: JobId, why: Gone) => Effect.Effect<void, unknown>
}

/**
 * Options of a pruning.
 *
 * @since 0.2.0
 * @category options
 */
export interface PruneOptions {
  /** The kind to prune; all kinds with a retention if it is left out. */
  readonly kind?: string | undefined
  /** Returns what would be pruned, and changes nothing. */
  readonly dryRun?: boolean | undefined
}

// The reads and writes of pruning.

export type FinalStatus = "completed" | "failed" | "cancelled"

export interface FinishedRun {
  readonly id: JobId
  readonly status: FinalStatus
  readonly endedAt: DateTime.Utc
  /** The earlier runs of its chain, which are pruned with it. */
  readonly earlier: ReadonlyArray<JobId>
}

interface Position {
  readonly endedAt: DateTime.Utc
  readonly id: string
}

/** The finished runs of a status in the order in which they ended: after a position, up to an end time. */
export interface Span {
  readonly status: FinalStatus
  readonly after?: Position | undefined
  readonly until?: DateTime.Utc | undefined
}

/** A position after all runs that ended at a time, since it is greater than every id. */
export const afterAllIds = "~"

export interface RetentionStore {
  /** The time by which runs are too old. */
  readonly now: Effect.Effect<DateTime.Utc, StoreError>

  /**
   * Finished runs of a kind that are not pinned, in the order in which they ended; of a chain of retries, only the last. A run whose
   * child processes may be alive is left out, since its rows are needed to find them, and so is its chain; and so is, at that time, a
   * run for which a subscriber still waits.
   */
  readonly finished: (query: {
    readonly kind: string
    readonly at: DateTime.Utc
    readonly spans: ReadonlyArray<Span>
    readonly limit: number
  }) => Effect.Effect<ReadonlyArray<FinishedRun>, StoreError>

  /** The number of finished runs of a kind that are not pinned. */
  readonly count: (kind: string) => Effect.Effect<number, StoreError>

  /**
   * Hides the runs among these that have ended and are not pinned, and the earlier runs of their chains, for good, and frees their
   * idempotency keys. Returns them. Subscribers that have not received their events learn that they miss them.
   */
  readonly hide: (ids: ReadonlyArray<JobId>) => Effect.Effect<ReadonlyArray<JobId>, StoreError>

  /** Hidden runs of a kind, in the order of their ids. */
  readonly hidden: (query: {
    readonly kind: string
    readonly after: JobId | undefined
    readonly limit: number
  }) => Effect.Effect<ReadonlyArray<JobId>, StoreError>

  /** Those among these runs that were removed; the others are pruned. */
  readonly removed: (ids: ReadonlyArray<JobId>) => Effect.Effect<ReadonlyArray<JobId>, StoreError>

  /** Deletes rows of hidden runs, one run after the other, for the duration of a slice. Returns the runs that are completely deleted. */
  readonly remove: (ids: ReadonlyArray<JobId>) => Effect.Effect<ReadonlyArray<JobId>, StoreError>
}

// The runs that transactions of an application insert.

/**
 * Runs that transactions of the application insert, together with the application's own writes. Such a run is in the outbox,
 * without an event, until the manager has seen the commit.
 *
 * @since 0.2.0
 * @category models
 */
export interface Outbox {
  /** Whether others may commit to the database, which then has to be polled. */
  readonly isShared: boolean

  /** Notifies of runs of a kind that were inserted here, before the commit, and of commits that the database announces. */
  readonly committed: (kind: string) => Notifier

  /**
   * Runs `inside` inside a transaction of the application's SQL client, and otherwise `outside`, detached from a transaction of
   * any other client.
   */
  readonly byTransaction: <A, E>(effects: {
    readonly inside: Effect.Effect<A, E>
    readonly outside: Effect.Effect<A, E>
  }) => Effect.Effect<A, E>

  /**
   * Runs an effect in a transaction of the application's SQL client, which takes the write lock of SQLite at once, and repeats the whole
   * effect while the database is busy, for up to 5 seconds.
   */
  readonly transaction: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E | SqlError | StoreError, R>

  /**
   * Inserts a pending run in the transaction of the caller. Returns its id, or the id of the existing run with its idempotency
   * key.
   */
  readonly insert: (run: NewRun) => Effect.Effect<JobId, JobConflict | QueueFull | IdempotencyKeyReused | StoreError>

  /**
   * Waits for an open transaction to end, and appends `job.queued` to the committed runs of a kind, at most 1,000 at once.
   * Returns how many. From time to time it also hands on keys that an ended process has left.
   */
  readonly queue: (kind: string) => Effect.Effect<number, StoreError>
}

// What producers write, in any process, and the manager of the kind takes up: runs, and requests about runs.

export interface ProducerStore {
  /**
   * Records a pending run, which gets its first event from its manager. Returns its id, or the id of the existing run with its key or
   * idempotency key. Running jobs that it replaces are requested to stop.
   */
  readonly submit: (run: NewRun) => Effect.Effect<JobId, JobConflict | QueueFull | IdempotencyKeyReused | StoreError>

  /** Records a signal for the manager to apply. */
  readonly requestSignal: (
    signal: Omit<NewSignal, "request">
  ) => Effect.Effect<void, JobNotFound | JobEnded | TooManySignals | StoreError>

  /** Cancels a pending run. For another run that has not ended, it records for the manager that it is to be stopped. */
  readonly requestStop: (stop: NewStop) => Effect.Effect<void, JobNotFound | StoreError>

  /** Records for the manager that a job is to be resumed. */
  readonly requestResume: (resume: NewResume) => Effect.Effect<void, JobNotFound | StoreError>

  /** The first requests about jobs of a kind, at most 1,000, in order. */
  readonly requests: (kind: string) => Effect.Effect<ReadonlyArray<Request>, StoreError>

  /**
   * Removes a request that is applied, and notifies of what its producer may have committed about the job, and of the requests that
   * `requests` now returns.
   */
  readonly settle: (request: Request) => Effect.Effect<void, StoreError>

  /** The kinds that have pending runs, and how many. */
  readonly waiting: Effect.Effect<ReadonlyArray<{ readonly kind: string; readonly runs: number }>, StoreError>

  /** Notifies the manager of a kind of runs and requests that producers have committed. */
  readonly submitted: (kind: string) => Effect.Effect<Notifier, never, Scope.Scope>

  /** While the scope is open, and no manager uses the store, it makes no query while it is idle. */
  readonly rest: Effect.Effect<void, never, Scope.Scope>

  /** While the scope is open, commits of other processes notify the subscribers of `changes`, too. */
  readonly follow: Effect.Effect<void, never, Scope.Scope>
}

export interface NewStop {
  readonly kind: string
  readonly jobId: JobId
  /** The grace period of the manager by default. */
  readonly grace: Duration.Duration | undefined
  readonly sender?: Sender | undefined
  readonly at: DateTime.Utc
}

export interface NewResume {
  readonly kind: string
  readonly jobId: JobId
  readonly sender?: Sender | undefined
  readonly at: DateTime.Utc
}

export interface Request {
  readonly seq: number
  readonly kind: string
  readonly jobId: JobId
  readonly asks: Ask
}

/** What a request asks for; none for what a later version has recorded. */
export type Ask = Option.Option<
  | ({ readonly _tag: "Signal" } & Pick<NewSignal, "name" | "payload" | "sender">)
  | ({ readonly _tag: "Stop" } & Pick<NewStop, "grace" | "sender">)
  | ({ readonly _tag: "Resume" } & Pick<NewResume, "sender">)
  /** A child of the job has ended, perhaps in another process, and the job is due. */
  | { readonly _tag: "Wake" }
>

// The schedules of jobs, and their ticks.

export interface ScheduleName {
  readonly kind: string
  readonly name: string
}

export interface ScheduleRegistration extends ScheduleName {
  /** JSON text; what it does not contain cannot change a schedule. */
  readonly definition: string
  readonly at: DateTime.Utc
}

export interface Tick extends ScheduleName {
  readonly definition: string
  readonly tick: DateTime.Utc
  /** The run of the tick, or why it has none. */
  readonly run: NewRun | string
  /** Whether the tick is skipped while the last run of the schedule is not over. */
  readonly skipsOverlap: boolean
}

/** What became of a tick. It is `Refused`, and nothing is recorded, if it is not for this process to record it. */
export type Ticked =
  | { readonly _tag: "Started"; readonly id: JobId }
  | { readonly _tag: "Skipped"; readonly reason: string }
  | { readonly _tag: "Refused"; readonly why: "taken" | "paused" | "changed" }

/** `by` is who has asked for a run now, as claimed. */
export type StartScheduled = (
  by: string | undefined
) => Effect.Effect<JobId, InvalidJobConfig | JobConflict | QueueFull | StoreError>

export interface ScheduleStore {
  /**
   * Records a schedule; a new or changed one from this time on. Returns the time after which its next tick is: ticks after it up to now
   * are missed.
   */
  readonly register: (registration: ScheduleRegistration) => Effect.Effect<DateTime.Utc, StoreError>

  /**
   * Records a tick with its run, which is pending and waits for its manager as a run of a producer does, in one transaction. A tick is
   * recorded once: another process may have recorded it, or a later one, and then nothing happens.
   */
  readonly tick: (tick: Tick) => Effect.Effect<Ticked, StoreError>

  /**
   * Lets a schedule whose last tick, or whose registration, was recorded by a clock that was ahead go back to the time by the clock of now.
   * Returns the time after which its next tick is, which another process may have changed.
   */
  readonly reset: (
    reset: ScheduleName & { readonly definition: string; readonly from: DateTime.Utc; readonly to: DateTime.Utc }
  ) => Effect.Effect<DateTime.Utc, StoreError>

  /** All schedules, by kind and name. */
  readonly list: Effect.Effect<ReadonlyArray<Schedule>, StoreError>

  /** Once it returns, no tick is recorded. A paused schedule stays as it is. */
  readonly pause: (
    pause: ScheduleName & { readonly at: DateTime.Utc; readonly by?: string | undefined }
  ) => Effect.Effect<void, ScheduleNotFound | StoreError>

  /** Ticks count again from this time on. */
  readonly unpause: (
    unpause: ScheduleName & { readonly at: DateTime.Utc }
  ) => Effect.Effect<void, ScheduleNotFound | StoreError>

  /** Removes a schedule; a process that runs it registers it again when it starts. */
  readonly remove: (schedule: ScheduleName) => Effect.Effect<void, ScheduleNotFound | StoreError>

  /** While the scope is open, this process starts runs of the schedule on request. */
  readonly serve: (schedule: ScheduleName, start: StartScheduled) => Effect.Effect<void, never, Scope.Scope>

  /** Starts a run of the schedule; none if this process does not run it. */
  readonly served: (schedule: ScheduleName) => Effect.Effect<Option.Option<StartScheduled>>
}

// The durable cursors of subscribers.

/** The events that a subscriber receives; all kinds, and all types, by default. */
export interface Selection {
  readonly kinds?: ReadonlyArray<string> | undefined
  readonly types?: ReadonlyArray<string> | undefined
}

export interface Registration extends Selection {
  readonly name: string
  /** Where a new subscriber begins: after the latest event, or at the first one that the log still has. */
  readonly from: "now" | "start"
  /** How long after its end a run is kept for the subscriber. */
  readonly hold: Duration.Duration
  readonly at: DateTime.Utc
}

/** An event with the kind of its job. */
export interface Delivery {
  readonly kind: string
  readonly event: JobEvent
}

export interface DeliveryPage {
  readonly deliveries: ReadonlyArray<Delivery>
  /** The cursor at which the next page starts; other events are skipped. */
  readonly cursor: number
  readonly more: boolean
  /** Payload bytes read from the database; 0 for the in-memory store. */
  readonly size: number
}

/** What a subscriber has to do besides the events after its cursor. */
export interface SubscriberProgress {
  readonly cursor: number
  readonly gap: Option.Option<{ readonly from: number; readonly to: number }>
  /** Events that the handler has failed on, in order. */
  readonly undelivered: ReadonlyArray<{ readonly cursor: number; readonly isAside: boolean }>
}

/** The lock of the only live instance of a subscriber. */
export interface SubscriberLock {
  /** Identifies the instance. */
  readonly holder: string
  /** Completes when the lock is uncertain, since another instance may soon hold it; never if a kernel guarantees it. */
  readonly lost: Effect.Effect<void>
}

export interface SubscriberStore {
  /** Takes a name on this store until the scope closes. */
  readonly claim: (name: string) => Effect.Effect<void, AlreadySubscribed, Scope.Scope>

  /** Records the subscriber. If it exists, it keeps its cursor. */
  readonly register: (registration: Registration) => Effect.Effect<void, StoreError>

  /** Makes the caller the only live instance of a registered subscriber until the scope closes; none if there is another one. */
  readonly tryLock: (name: string) => Effect.Effect<Option.Option<SubscriberLock>, StoreError, Scope.Scope>

  /** The selected events after a cursor. */
  readonly deliveries: (
    query: Selection & { readonly after: number; readonly limit: number }
  ) => Effect.Effect<DeliveryPage, StoreError>

  /** The progress of a subscriber, with its undelivered events that are to be tried, or have a cursor above `after`; none if it was removed. */
  readonly progress: (query: {
    readonly name: string
    readonly after: number
  }) => Effect.Effect<Option.Option<SubscriberProgress>, StoreError>

  /** Moves the cursor forward. Returns whether the holder still has the lock. */
  readonly move: (moved: {
    readonly name: string
    readonly holder: string
    readonly cursor: number
    readonly at: DateTime.Utc
  }) => Effect.Effect<boolean, StoreError>

  /** Records that the handler has failed on an event. Returns when it failed first. */
  readonly failed: (failure: {
    readonly name: string
    readonly jobId: JobId
    readonly cursor: number
    readonly at: DateTime.Utc
    readonly error: string
  }) => Effect.Effect<DateTime.Utc, StoreError>

  /** Puts an event aside that the handler has failed on. */
  readonly putAside: (event: { readonly name: string; readonly cursor: number }) => Effect.Effect<void, StoreError>

  /** Removes the record of an event that is handled after a failure. */
  readonly settle: (event: { readonly name: string; readonly cursor: number }) => Effect.Effect<void, StoreError>

  /** Counts a run that was skipped. */
  readonly skipped: (name: string) => Effect.Effect<void, StoreError>

  /** Removes a gap that is handled, unless it has grown since. */
  readonly closeGap: (gap: { readonly name: string; readonly to: number }) => Effect.Effect<void, StoreError>

  /** All subscribers, by name. */
  readonly list: Effect.Effect<ReadonlyArray<Subscriber>, StoreError>

  /** Makes all events that were put aside due again. Returns how many there were. */
  readonly retry: (retry: {
    readonly name: string
    readonly at: DateTime.Utc
  }) => Effect.Effect<number, SubscriberNotFound | StoreError>

  /** Removes a subscriber that no process runs. */
  readonly remove: (name: string) => Effect.Effect<void, SubscriberNotFound | SubscriberInUse | StoreError>
}

// The steps of jobs. They belong to the first run of a chain of retries, so that a run that retries another finds them.

/**
 * The records of steps.
 *
 * @since 0.2.0
 * @category models
 */
export interface StepStore {
  /** Records a step with its event, and resets the count of crashes; fails unless the attempt is the current one and running. */
  readonly record: (step: NewStep) => Effect.Effect<void, Superseded | StoreError>

  /** All steps of a chain with their values, in order. */
  readonly recall: (chain: JobId) => Effect.Effect<ReadonlyArray<KeptStep>, StoreError>

  /** The steps of a chain after the `seq` `after`, in order; at most `limit`. */
  readonly list: (query: {
    readonly chain: JobId
    readonly after: number
    readonly limit: number
  }) => Effect.Effect<ReadonlyArray<RecordedStep>, StoreError>

  /** The newest steps of a chain, in order; at most `limit`. */
  readonly latest: (query: {
    readonly chain: JobId
    readonly limit: number
  }) => Effect.Effect<ReadonlyArray<RecordedStep>, StoreError>

  /** A step with its value. */
  readonly get: (query: {
    readonly chain: JobId
    readonly name: string
  }) => Effect.Effect<Option.Option<StepWithValue>, StoreError>
}

/**
 * A step as a later attempt reads it.
 *
 * @since 0.2.0
 * @category models
 */
export interface KeptStep {
  readonly seq: number
  readonly name: string
  /** The run that has done it. */
  readonly jobId: JobId
  /** How often that run had been retried before. */
  readonly tries: number
  readonly ok: boolean
  /** The value as JSON text; none if it is `undefined`. */
  readonly value: string | undefined
}

/**
 * A step to insert.
 *
 * @since 0.2.0
 * @category models
 */
export interface NewStep extends KeptStep {
  /** The first run of its chain. */
  readonly chain: JobId
  readonly attempt: number
  readonly at: DateTime.Utc
  readonly millis: number
  /** Whether it replaces the record of a failure, which a retry forgets. */
  readonly replaces: boolean
}

/**
 * A step with its value.
 *
 * @since 0.2.0
 * @category models
 */
export interface StepWithValue {
  readonly step: RecordedStep
  /** The value as JSON text; none if it is `undefined`. */
  readonly value: string | undefined
}

// The children of jobs: runs that a job has started. Like steps they belong to the first run of a chain of retries; `parent` of a child is
// the run of that chain that has asked for it last, which its end wakes.

/**
 * The records of children.
 *
 * @since 0.2.0
 * @category models
 */
export interface ChildStore {
  /**
   * Returns the child of that name, and starts it as a producer would if there is none. A child that has failed or was cancelled before
   * the current try of its parent is retried. Fails unless the attempt of the parent is the current one and running.
   */
  readonly start: (
    child: NewChild
  ) => Effect.Effect<StartedChild, JobConflict | QueueFull | IdempotencyKeyReused | Superseded | StoreError>

  /** The children of a chain, and how many of the children of a run have ended, as one snapshot. */
  readonly recall: (parent: {
    readonly chain: JobId
    readonly jobId: JobId
  }) => Effect.Effect<RecalledChildren, StoreError>

  /** The children of a chain, newest first, before the id `before`; at most `limit`. */
  readonly list: (query: {
    readonly chain: JobId
    readonly before?: JobId | undefined
    readonly limit: number
  }) => Effect.Effect<ReadonlyArray<RecordedChild>, StoreError>
}

/**
 * A child to start.
 *
 * @since 0.2.0
 * @category models
 */
export interface NewChild {
  /** The first run of the chain of the parent. */
  readonly chain: JobId
  /** The parent, its attempt, and how often it has been retried before. */
  readonly jobId: JobId
  readonly attempt: number
  readonly tries: number
  readonly name: string
  readonly onParentStop: OnParentStop
  /** The run of the child, unless there is one. */
  readonly run: NewRun
}

/**
 * A child that may have been started before.
 *
 * @since 0.2.0
 * @category models
 */
export interface StartedChild {
  readonly id: JobId
  readonly kind: string
  readonly status: RunStatus
}

/**
 * A child as a later attempt of its parent reads it.
 *
 * @since 0.2.0
 * @category models
 */
export interface KeptChild {
  readonly id: JobId
  readonly name: string
  readonly kind: string
  /** The run that has asked for it last, and how often that run had been retried before. */
  readonly askedBy: JobId
  readonly tries: number
  /** None if it was pruned. */
  readonly status: RunStatus | undefined
}

/**
 * The children of a chain, at one time.
 *
 * @since 0.2.0
 * @category models
 */
export interface RecalledChildren {
  readonly children: ReadonlyArray<KeptChild>
  /** How many children of the run have ended. A park that has read fewer ends is due at once. */
  readonly ends: number
}

// The decisions about executions of workflows: values that others decide once, also before the execution starts.

/**
 * An execution: the run of a kind that has this idempotency key, whether or not it has started.
 *
 * @since 0.2.0
 * @category models
 */
export interface Execution {
  readonly kind: string
  readonly key: string
}

/**
 * A decision.
 *
 * @since 0.2.0
 * @category models
 */
export interface Decision {
  readonly name: string
  /** The value as JSON text. */
  readonly value: string
}

/**
 * The records of decisions.
 *
 * @since 0.2.0
 * @category models
 */
export interface DecisionStore {
  /**
   * Records a decision unless there is one of that name: the first counts. The same transaction makes a run due that has parked for
   * decisions. Returns whether it was recorded.
   */
  readonly decide: (
    decision: Execution & Decision & { readonly at: DateTime.Utc }
  ) => Effect.Effect<boolean, StoreError>

  /** All decisions about an execution, by their names. They are removed with its run, and without one after 30 days. */
  readonly about: (execution: Execution) => Effect.Effect<ReadonlyArray<Decision>, StoreError>

  /**
   * Records that an execution waits for the end of another, `of`, whose last commit then decides about it: `ended/` and kind and key of
   * the one that has ended. Returns `false` if that has ended already, or is not there.
   */
  readonly awaitEnd: (
    waiter: Execution & { readonly of: Execution; readonly at: DateTime.Utc }
  ) => Effect.Effect<boolean, StoreError>
}

// The groups of kinds: at most so many jobs of each run at once, on all nodes together.

/**
 * The limit of the groups of kinds. Each transaction that begins an attempt decides by the rows of the runs.
 *
 * @since 0.2.0
 * @category models
 */
export interface GroupStore {
  /** Records the setting of a kind for all its managers, and reads the groups again that it changes. The last one counts. */
  readonly register: (settings: GroupSettings) => Effect.Effect<void, StoreError>

  /** The jobs of a group now. The transaction that begins one of them decides. */
  readonly get: (kind: string, group: string) => Effect.Effect<Group, StoreError>
}

/**
 * How the groups of a kind are limited.
 *
 * @since 0.2.0
 * @category models
 */
export interface GroupSettings {
  readonly kind: string
  /** How many jobs of a group may run at once; without a limit if it is missing. */
  readonly maxPerGroup: number | undefined
  /** Whether interrupted runs wait for a person, so that they hold back no other run of their group. */
  readonly isManual: boolean
}

/**
 * The jobs of a group.
 *
 * @since 0.2.0
 * @category models
 */
export interface Group {
  /** How many of them may run at once; missing without a limit. */
  readonly most: number | undefined
  /** How many run; counted up to the limit. */
  readonly active: number
  /** How many wait for their turn in the group; counted up to the limit. */
  readonly waiting: number
}

// The pauses of kinds: no attempt of a job of a paused kind begins, on any node, but for a stop.

/**
 * What is set for the jobs of a kind.
 *
 * @since 0.2.0
 * @category models
 */
export interface KindStore {
  /** The paused kinds, sorted by name. */
  readonly paused: Effect.Effect<ReadonlyArray<PausedKind>, StoreError>

  /**
   * Once it returns, no attempt of the kind begins but for a stop: every transaction that would begin another fails with `KindPaused`. A
   * kind that is paused already stays as it is.
   */
  readonly pause: (pause: {
    readonly kind: string
    readonly at: DateTime.Utc
    readonly by?: string | undefined
  }) => Effect.Effect<void, StoreError>

  /** Lets attempts of the kind begin again. */
  readonly unpause: (kind: string) => Effect.Effect<void, StoreError>

  /** Reads whether the kind is paused, before its manager begins attempts. From then on, that manager changes it. */
  readonly recall: (kind: string) => Effect.Effect<void, StoreError>

  /** Whether the kind is paused, from memory. A cluster decides in its transactions only. */
  readonly isPaused: (kind: string) => Effect.Effect<boolean>
}

// The owner of a kind: the one process that manages its jobs, if any.

export interface OwnerStore {
  /**
   * Makes this process the owner of the kind until the scope closes, or fails immediately with the current owner. The scope
   * may outlive the store: a manager keeps its kind until its last job has ended.
   */
  readonly acquire: (
    owner: Pick<Owner, "id" | "kind">
  ) => Effect.Effect<Ownership, AlreadyManaged | StoreError, Scope.Scope>

  /** The recorded owner. Only the lock proves that the owner is alive. */
  readonly get: (kind: string) => Effect.Effect<Option.Option<Owner>, StoreError>

  /**
   * Compare-and-set: records the owner if the current one is still `replacing` (none for `Option.none()`); returns whether it
   * was recorded.
   */
  readonly claim: (owner: Owner, replacing: Option.Option<Owner>) => Effect.Effect<boolean, StoreError>

  /** Deletes the record if it still names this owner. */
  readonly release: (owner: Owner) => Effect.Effect<void, StoreError>
}

export interface Ownership {
  /** Completes when the ownership is uncertain, since others may soon become the owner; never if a kernel guarantees it. */
  readonly lost: Effect.Effect<void>
}

export interface Owner {
  readonly kind: string
  /** Identifies the manager, since one process may run several. */
  readonly id: string
  readonly process: ProcessIdentity
  /** The machine of the process, if several may share the database. */
  readonly machine?: string | undefined
  /** The file lock of the owner; undefined for an in-memory database, and in a record of version 0.1.0. */
  readonly lock?: OwnerLock | undefined
}

export interface OwnerLock {
  readonly path: string
  /** Identifies the locked file among all files that ever have this path. */
  readonly file: string
}

// The state that the nodes of a cluster share for a kind: the nodes, the limit of running jobs, and which node has which job.

/** Milliseconds without a heartbeat after which the record of a node is deleted when the next node joins. */
export const forgottenAfter = 24 * 3_600_000

/** How many refused runs are read at once. */
export const mostRefused = 200

/**
 * The nodes of a cluster, and the placement of jobs on them.
 *
 * @since 0.2.0
 * @category models
 */
export interface ClusterStore {
  /**
   * Records a node. It replaces a dead node of the same kind and address; it fails while that node is alive, and if the kind has an
   * owner outside the cluster. Nodes that have been dead for a day are deleted.
   */
  readonly join: (node: NewNode) => Effect.Effect<void, NodeConflict | AlreadyManaged | StoreError>

  /** Records a heartbeat; `false` if the node is no longer recorded. */
  readonly renew: (node: string) => Effect.Effect<boolean, StoreError>

  /** Ends the connections in use: if the database has gone silent, they would wait until TCP gives up. */
  readonly disconnect: Effect.Effect<void>

  readonly leave: (node: string) => Effect.Effect<void, StoreError>

  /** The nodes of a kind, oldest first. */
  readonly nodes: (kind: string) => Effect.Effect<ReadonlyArray<Node>, StoreError>

  /** Keeps jobs from beginning on the node, or lets them begin again, until the node leaves. */
  readonly drain: (node: string, draining: boolean) => Effect.Effect<void, StoreError>

  /** Records how many jobs of a kind may run in the cluster, unless a limit is recorded already. Returns the recorded limit. */
  readonly limit: (query: { readonly kind: string; readonly maxJobs: number }) => Effect.Effect<number, StoreError>

  /** How many jobs of a kind may run; none if no node has recorded it. */
  readonly currentLimit: (kind: string) => Effect.Effect<Option.Option<number>, StoreError>

  /** Changes how many jobs of a kind may run. */
  readonly setLimit: (query: { readonly kind: string; readonly maxJobs: number }) => Effect.Effect<void, StoreError>

  /**
   * Like `create`, but within the limit of the kind: the run is placed on the candidate with most room, under the id of that candidate.
   * If the run begins at once on the address of `taker`, that node takes it in the same transaction.
   */
  readonly admit: (
    run: Omit<NewRun, "id" | "isQueued">,
    placement: Placement,
    taker?: Taker
  ) => Effect.Effect<
    Admitted,
    MaxJobsReached | JobConflict | KindPaused | QueueFull | IdempotencyKeyReused | StoreError
  >

  /** Like `begin`, but within the limit of the kind: this node gets the attempt. */
  readonly begin: (
    beginning: Beginning,
    by: Runner
  ) => Effect.Effect<"running" | "stopping" | "waits", KindPaused | MaxJobsReached | Superseded | StoreError>

  /**
   * Like `begin`, but on the candidate with most room, which has to take the attempt. Returns its address, or none if the run waits
   * for a key, or is due for a stop: a node begins it by itself.
   */
  readonly place: (
    beginning: Beginning,
    candidates: NonEmpty<Location>
  ) => Effect.Effect<Option.Option<string>, KindPaused | MaxJobsReached | Superseded | StoreError>

  /** Takes an attempt that was placed; fails if another node has taken it, or if it has ended. */
  readonly take: (
    attempt: { readonly jobId: JobId; readonly attempt: number; readonly trace?: RunTrace | undefined },
    by: Runner
  ) => Effect.Effect<void, Superseded | StoreError>

  /**
   * The first run that may begin among the runs of some shards and the runs that other versions of the kind have refused, in the order of `due`.
   * Of a paused kind the first of any shard that is due for a stop, and none that this version has refused: if it is the head of a group,
   * the next of the group takes its place.
   */
  readonly next: (query: {
    readonly kind: string
    readonly statuses: ReadonlyArray<"interrupted" | "parked" | "pending">
    readonly version: string
    readonly shards: ReadonlyArray<number>
  }) => Effect.Effect<Option.Option<UnfinishedRun>, StoreError>

  /**
   * Records that a version of the kind cannot decode these runs, if they wait for a permit: its nodes no longer see them as due, until
   * they have begun on a node of another version.
   */
  readonly refuse: (version: string, refusals: ReadonlyArray<Refusal>) => Effect.Effect<void, StoreError>

  /**
   * The runs that wait for a permit and that a version has refused this many milliseconds ago, by the clock of the database: at most
   * 200, the longest refused first.
   */
  readonly refused: (query: {
    readonly kind: string
    readonly millis: number
  }) => Effect.Effect<ReadonlyArray<Run>, StoreError>

  /** The running runs of a kind, oldest first. */
  readonly held: (kind: string) => Effect.Effect<ReadonlyArray<HeldRun>, StoreError>

  /** The runs that are placed on an address and that no node has taken. */
  readonly placed: (query: {
    readonly kind: string
    readonly address: string
  }) => Effect.Effect<ReadonlyArray<HeldRun>, StoreError>

  /** The run, if it is running. */
  readonly heldRun: (id: JobId) => Effect.Effect<Option.Option<HeldRun>, StoreError>
}

/**
 * A run that a version of its kind cannot decode.
 *
 * @since 0.2.0
 * @category models
 */
export interface Refusal {
  readonly jobId: JobId
  /** What does not decode, as in the error of a run that fails for it. */
  readonly reason: string
}

/**
 * Hashes of definitions, by name.
 *
 * @since 0.2.0
 * @category models
 */
export interface Definitions {
  readonly [name: string]: string
}

/**
 * A node: one manager of one kind in one process.
 *
 * @since 0.2.0
 * @category models
 */
export interface NewNode {
  /** Identifies this incarnation of the node: a restart gets another id. */
  readonly id: string
  readonly kind: string
  /** How other nodes reach the node: `HOST:PORT`. */
  readonly address: string
  readonly pid: number
  /** The machine; see `Owner.machine`. */
  readonly machine: string
  /** How many jobs the node runs at once. */
  readonly capacity: number
  /** Where other nodes reach the HTTP server of the node, if they do: `https://HOST:PORT`. */
  readonly url?: string | undefined
  /** Hashes of what the node defines under these names: nodes that have the same name should define the same. */
  readonly definitions?: Definitions | undefined
  /** The version of the kind that the node has. */
  readonly version?: string | undefined
}

/**
 * A node as it is recorded.
 *
 * @since 0.2.0
 * @category models
 */
export interface Node extends NewNode {
  readonly isAlive: boolean
  readonly isDraining: boolean
  /** How many jobs of the kind run there. */
  readonly running: number
  /** Milliseconds since the last heartbeat, by the clock of the database. */
  readonly seenAgo: number
}

/**
 * The node that runs an attempt.
 *
 * @since 0.2.0
 * @category models
 */
export interface Runner {
  /** The id of the node. */
  readonly node: string
  /** The address of the node. */
  readonly address: string
  /** How many jobs the node runs at once. */
  readonly capacity: number
}

/**
 * A node that takes a run as it is placed.
 *
 * @since 0.2.0
 * @category models
 */
export interface Taker extends Runner {
  /** The trace of the run, recorded if the node takes it. */
  readonly trace: RunTrace | undefined
}

/**
 * The result of `admit`.
 *
 * @since 0.2.0
 * @category models
 */
export interface Admitted {
  readonly id: JobId
  readonly created: Created
  /** Whether the taker has taken the run. Otherwise a running run is taken by the node on which it is placed. */
  readonly isTaken: boolean
}

/**
 * Where a new run may be placed.
 *
 * @since 0.2.0
 * @category models
 */
export interface Placement {
  /** One candidate per accepting node, with a job id that hashes to one of its shards. */
  readonly candidates: NonEmpty<Candidate>
  /** What to do if no job may begin. */
  readonly whenFull: "refuse" | "queue"
  /** The statuses whose runs begin before a new run while they wait for a permit. */
  readonly waiting: ReadonlyArray<"interrupted" | "parked" | "pending">
}

/**
 * A node on which an attempt may be placed.
 *
 * @since 0.2.0
 * @category models
 */
export interface Location {
  readonly address: string
  readonly capacity: number
  /** Whether the node has another version of the kind, and may not decode the run: others with room are preferred. */
  readonly isOtherVersion?: boolean
}

/**
 * A node on which a new run may be placed.
 *
 * @since 0.2.0
 * @category models
 */
export interface Candidate extends Location {
  readonly id: JobId
}

type NonEmpty<A> = readonly [A, ...ReadonlyArray<A>]

/**
 * A running run, and the node that has taken its attempt.
 *
 * @since 0.2.0
 * @category models
 */
export interface HeldRun extends UnfinishedRun {
  /** The address on which it is placed. */
  readonly address: string | undefined
  /** The node that has taken the run, if any. */
  readonly runner: Option.Option<{ readonly node: string; readonly isAlive: boolean }>
}

// Child processes of jobs, recorded before they are spawned so that orphans can be found after a crash.

/** @since 0.1.0 */
export interface ChildProcessStore {
  /** Whether managers on several machines may share these records; then each record has to name its machine. */
  readonly spansMachines: boolean

  /** Commits the intent to spawn. */
  readonly open: (process: {
    readonly cookie: string
    readonly jobId: JobId
    readonly attempt: number
    /** The boot id of the kernel; a process of another boot is dead. */
    readonly bootId: string
    /** The machine of the process; missing if the records are of one machine. */
    readonly machine?: string | undefined
    /** A label for people, such as `agent` or `gate`. */
    readonly purpose: string
    /** The file that receives the output; missing if the records are of one machine. */
    readonly log?: string | undefined
    readonly at: DateTime.Utc
  }) => Effect.Effect<void, StoreError>

  /** Records the process id after the spawn. */
  readonly spawned: (process: {
    readonly cookie: string
    readonly pid: number
    /** The start time in clock ticks since boot, as the kernel reports it; with the pid it identifies a process within a boot. */
    readonly startTime: string | undefined
  }) => Effect.Effect<void, StoreError>

  /**
   * Closes the record once the whole process tree is gone. `tail` is the end of the output, at most 16 KiB, for readers on other
   * machines when the machine of the process is gone; it is left out if the records are of one machine, since the file is there.
   */
  readonly close: (process: {
    readonly cookie: string
    readonly at: DateTime.Utc
    readonly tail?: string | undefined
  }) => Effect.Effect<void, StoreError>

  /** The log files of a job on all machines, oldest first; none if the records are of one machine. */
  readonly logs: (jobId: JobId) => Effect.Effect<ReadonlyArray<RecordedLog>, StoreError>

  /** The open records of a job on all machines. */
  readonly unclosed: (jobId: JobId) => Effect.Effect<ReadonlyArray<OpenProcess>, StoreError>

  /** The jobs of a kind with open records, in any status. */
  readonly leftBy: (kind: string) => Effect.Effect<ReadonlyArray<JobId>, StoreError>
}

/** @since 0.1.0 */
export interface OpenProcess {
  readonly cookie: string
  readonly jobId: JobId
  readonly attempt: number
  readonly bootId: string
  /** Undefined if the records are of one machine, and in records from before there could be several. */
  readonly machine: string | undefined
  readonly purpose: string
  /** Undefined when a crash came between the intent and the spawn. */
  readonly pid: number | undefined
  readonly startTime: string | undefined
}

/**
 * The file with the output of a process.
 *
 * @since 0.2.0
 */
export interface RecordedLog {
  /** The path of the file on its machine. */
  readonly log: string
  /** The machine of the file; undefined if it was recorded without one. */
  readonly machine: string | undefined
  readonly openedAt: DateTime.Utc
  /** Undefined while the process may be alive, and if a crash came before its end. */
  readonly closedAt: DateTime.Utc | undefined
  /** The end of the output. */
  readonly tail: string | undefined
}

// Progress of the units and tasks of jobs, recorded by the orchestrator of the current attempt; writes of any other attempt fail.

/**
 * The records of units and tasks.
 *
 * @since 0.1.0
 * @category models
 */
export interface TaskProgressStore {
  /** Records all units and tasks of a job atomically; if the job already has some, only further tasks of its units. */
  readonly plan: (planned: {
    readonly jobId: JobId
    readonly attempt: number
    readonly work: Work
  }) => Effect.Effect<void, Superseded | StoreError>

  /**
   * Replaces the record of a unit. A unit that was not planned is a defect; leaving a terminal state fails as a `StoreError`, except
   * that a unit that is merged or skipped can run again.
   */
  readonly unit: (changed: {
    readonly jobId: JobId
    readonly attempt: number
    readonly unit: UnitRecord
  }) => Effect.Effect<void, Superseded | StoreError>

  /** Records a task of a planned unit that is not part of the plan, at a position after its others; once. */
  readonly add: (added: {
    readonly jobId: JobId
    readonly attempt: number
    readonly task: TaskRecord
  }) => Effect.Effect<void, Superseded | StoreError>

  /** Replaces the record of a task, by the same rules as `unit`, without the exception. */
  readonly task: (changed: {
    readonly jobId: JobId
    readonly attempt: number
    readonly task: TaskRecord
  }) => Effect.Effect<void, Superseded | StoreError>

  /** Units by position, and tasks by unit and position; both are empty if nothing was planned. */
  readonly of: (jobId: JobId) => Effect.Effect<Work, StoreError>

  /** Task counts per job; jobs without tasks are left out. */
  readonly counts: (jobIds: ReadonlyArray<JobId>) => Effect.Effect<ReadonlyMap<JobId, TaskCounts>, StoreError>

  /** What the turns at the tasks of each job have cost, in no order; jobs without any cost are left out. */
  readonly costs: (jobIds: ReadonlyArray<JobId>) => Effect.Effect<ReadonlyMap<JobId, ReadonlyArray<Cost>>, StoreError>

  /** The names of the first units per job, at most this many; jobs without units are left out. */
  readonly unitNames: (
    jobIds: ReadonlyArray<JobId>,
    most: number
  ) => Effect.Effect<ReadonlyMap<JobId, ReadonlyArray<string>>, StoreError>
}

// The limits of agents, and their turns in a row without a verdict, shared by all jobs. They are recorded by the orchestrator of the current
// attempt of a job; writes of any other attempt fail.

/**
 * The records of limits, at most one for each agent, and of streaks, at most one for each agent and task.
 *
 * @since 0.2.0
 * @category models
 */
export interface AgentLimitStore {
  /** The usage limit of an agent, even after it has reset, until it is cleared. */
  readonly get: (agent: string) => Effect.Effect<Option.Option<AgentLimit>, StoreError>

  /** Records the usage limit of an agent in place of the previous one. */
  readonly record: (reached: {
    readonly jobId: JobId
    readonly attempt: number
    readonly limit: AgentLimit
  }) => Effect.Effect<void, Superseded | StoreError>

  /** Removes the usage limit of an agent that works again. */
  readonly clear: (over: {
    readonly jobId: JobId
    readonly attempt: number
    readonly agent: string
  }) => Effect.Effect<void, Superseded | StoreError>

  /** The streaks of an agent in all jobs, by the time of their last turn. */
  readonly streaks: (agent: string) => Effect.Effect<ReadonlyArray<TurnStreak>, StoreError>

  /** Records a streak of the job in place of the previous one of the same agent and task. */
  readonly recordStreak: (ended: {
    readonly attempt: number
    readonly streak: TurnStreak
  }) => Effect.Effect<void, Superseded | StoreError>

  /**
   * Ends the streak of a task, since a turn of the agent at it was answered. With it end all `unreachable` streaks of the agent, and
   * the others are marked as `answeredSince`.
   */
  readonly answered: (turn: {
    readonly jobId: JobId
    readonly attempt: number
    readonly agent: string
    readonly unit: string
    readonly task: number
  }) => Effect.Effect<void, Superseded | StoreError>
}

// The questions of agents. They are recorded by the orchestrator of the current attempt of a job, and answered by anyone.

/**
 * The records of questions.
 *
 * @since 0.2.0
 * @category models
 */
export interface QuestionStore {
  /** Records questions of a job that are not recorded yet; writes of any attempt but the current one fail. */
  readonly record: (asked: {
    readonly jobId: JobId
    readonly attempt: number
    readonly questions: ReadonlyArray<Question>
  }) => Effect.Effect<void, Superseded | StoreError>

  /** The questions of a job, by unit, task and `seq`. */
  readonly of: (jobId: JobId) => Effect.Effect<ReadonlyArray<Question>, StoreError>

  /** The questions of jobs that have no answer and whose unit is not over. Jobs without any are left out. */
  readonly open: (
    jobIds: ReadonlyArray<JobId>
  ) => Effect.Effect<ReadonlyMap<JobId, ReadonlyArray<Question>>, StoreError>

  /**
   * Answers the open question of a unit, or of the only unit that has one, and returns it. The same transaction writes the event
   * `unit.answered`, and a run that has parked for an answer then waits for a permit.
   */
  readonly answer: (
    answer: Answer
  ) => Effect.Effect<Question, AlreadyAnswered | JobEnded | JobNotFound | NoOpenQuestion | StoreError>
}

/**
 * An answer to record.
 *
 * @since 0.2.0
 * @category models
 */
export interface Answer {
  readonly jobId: JobId
  readonly unit?: string | undefined
  readonly text: string
  /** Who answers. */
  readonly sender?: Sender | undefined
  readonly at: DateTime.Utc
}
