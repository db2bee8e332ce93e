/**
 * The interface of a run store. The SQL and the in-memory implementation pass one conformance suite.
 *
 * @since 0.1.0
 */
import type { DateTime, Effect, Option, Scope } from "effect"
import type { JobConflict, StoreError, Superseded } from "../domain/errors.js"
import type { JobEvent, Lifecycle } from "../domain/JobEvent.js"
import type { JobId } from "../domain/JobId.js"
import type { Run, RunError } from "../domain/Run.js"
import type { RunStatus } from "../domain/RunStatus.js"
import type { Work } from "../domain/Work.js"
import type { ChildProcessStore } from "./ChildProcessStore.js"
import type { OwnerStore } from "./OwnerStore.js"
import type { Notifier } from "./ChangeNotifier.js"
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

  /** The latest cursor; 0 when there are no events. */
  readonly latestCursor: Effect.Effect<number, StoreError>

  /** Notifies of commits with events of this job (without an id: of any job). */
  readonly changes: (jobId?: JobId) => Effect.Effect<Notifier, never, Scope.Scope>

  /** Unfinished runs of a kind, oldest first; for the next page pass the last id as `after`. */
  readonly unfinished: (query: {
    readonly kind: string
    readonly status?: "running" | "interrupted"
    readonly after?: JobId
    readonly limit: number
  }) => Effect.Effect<ReadonlyArray<UnfinishedRun>, StoreError>

  /** Records a new run as `running`, with its first event. */
  readonly create: (run: NewRun) => Effect.Effect<void, JobConflict | StoreError>

  /** Records a state change together with its event; fails unless the attempt is the current one. */
  readonly record: (change: Change) => Effect.Effect<void, Superseded | StoreError>

  /** Starts the next attempt of an interrupted run; fails unless the previous attempt is the current one. */
  readonly resume: (resumption: Resumption) => Effect.Effect<void, JobConflict | Superseded | StoreError>

  /** Appends emitted events; fails unless the attempt is the current one and running. */
  readonly append: (emitted: {
    readonly jobId: JobId
    readonly attempt: number
    readonly events: ReadonlyArray<AcceptedEvent>
  }) => Effect.Effect<void, Superseded | StoreError>

  /** Dies inside a transaction of the same SQL client, where a write would deadlock. */
  readonly outsideTransaction: Effect.Effect<void>

  readonly owners: OwnerStore

  /** The child processes of jobs. */
  readonly childProcesses: ChildProcessStore

  /** The units and tasks of jobs. */
  readonly work: TaskProgressStore
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
  /** Default 100, at most 1,000. */
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
   * Pass it as `before` for the next page; none on the last page. A page with a next one may be short or even empty: for
   * several labels a page scans at most 10,000 runs of the rarest label.
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
  readonly key: string | undefined
  readonly config: unknown
  readonly labels: { readonly [name: string]: string }
  /** JSON text, encoded once, since it may be megabytes. */
  readonly submission?: string | undefined
  readonly at: DateTime.Utc
}

/**
 * A state change of the current attempt, named after its event.
 *
 * @since 0.1.0
 * @category models
 */
export interface Change {
  readonly type: Exclude<Lifecycle, "job.started" | "job.resumed">
  readonly jobId: JobId
  readonly attempt: number
  readonly at: DateTime.Utc
  /** With `job.interrupted`: whether the manager crashed. */
  readonly crashed?: boolean
  /** With `job.completed`: JSON. */
  readonly result?: unknown
  /** With `job.failed` and `job.cancelled`. */
  readonly error?: RunError | undefined
}

/**
 * The start of a further attempt.
 *
 * @since 0.1.0
 * @category models
 */
export interface Resumption {
  readonly jobId: JobId
  /** The new attempt. */
  readonly attempt: number
  readonly key: string | undefined
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
