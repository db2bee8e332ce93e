/**
 * What a store does for a manager. Two implementations pass one conformance suite: SQL and memory.
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

/** @since 0.1.0 */
export interface Service {
  /** The run of that id, of whatever kind. */
  readonly get: (id: JobId) => Effect.Effect<Option.Option<Run>, StoreError>

  /** The run of that id, of whatever kind, and its units and tasks. */
  readonly withWork: (id: JobId) => Effect.Effect<Option.Option<RunWithWork>, StoreError>

  /** What the run was submitted with beside its configuration; only here, since it may be megabytes. */
  readonly submission: (id: JobId) => Effect.Effect<Option.Option<unknown>, StoreError>

  /** A page of runs, newest first. */
  readonly page: (query?: RunQuery) => Effect.Effect<RunPage, StoreError>

  /** The runs of `page`. */
  readonly list: (query?: RunQuery) => Effect.Effect<ReadonlyArray<Run>, StoreError>

  /**
   * One page of the events of a job, from the one after `after`; none if there is no such run. A page of events holds at most
   * 1,000 of them, and payloads of about 1 MiB.
   */
  readonly events: (query: {
    readonly kind: string
    readonly jobId: JobId
    readonly after: number
    readonly limit: number
  }) => Effect.Effect<Option.Option<EventPage>, StoreError>

  /** One page of the events of all jobs of a kind. */
  readonly allEvents: (query: {
    readonly kind: string
    readonly after: number
    readonly limit: number
  }) => Effect.Effect<CursorPage, StoreError>

  /** The newest cursor; 0 when there is no event. */
  readonly latestCursor: Effect.Effect<number, StoreError>

  /** Rises whenever events of that job (or, without one, of any job) have been committed. */
  readonly changes: (jobId?: JobId) => Effect.Effect<Notifier, never, Scope.Scope>

  /** Runs of a kind that are not over, oldest first; the next page begins `after` the last id of this one. */
  readonly unfinished: (query: {
    readonly kind: string
    readonly status?: "running" | "interrupted"
    readonly after?: JobId
    readonly limit: number
  }) => Effect.Effect<ReadonlyArray<UnfinishedRun>, StoreError>

  /** Records a new run as `running`, with its first event. */
  readonly create: (run: NewRun) => Effect.Effect<void, JobConflict | StoreError>

  /** Records a change of state together with the event that tells of it; refused when the attempt is not the current one. */
  readonly record: (change: Change) => Effect.Effect<void, Superseded | StoreError>

  /** Begins the next attempt of an interrupted run; refused unless the one before it is the current one. */
  readonly resume: (resumption: Resumption) => Effect.Effect<void, JobConflict | Superseded | StoreError>

  /** Appends what an orchestrator emitted; refused when the attempt is not the current one or no longer runs. */
  readonly append: (emitted: {
    readonly jobId: JobId
    readonly attempt: number
    readonly events: ReadonlyArray<AcceptedEvent>
  }) => Effect.Effect<void, Superseded | StoreError>

  /** Dies inside a transaction of the same SQL client, where a write would wait for itself. */
  readonly outsideTransaction: Effect.Effect<void>

  readonly owners: OwnerStore

  /** The child processes of jobs. */
  readonly childProcesses: ChildProcessStore

  /** The units and tasks of jobs. */
  readonly work: TaskProgressStore
}

/** @since 0.1.0 */
export interface RunWithWork {
  readonly run: Run
  readonly work: Work
}

/** @since 0.1.0 */
export interface RunQuery {
  readonly kind?: string
  readonly status?: RunStatus
  /** All of these must be on the run. */
  readonly labels?: { readonly [name: string]: string }
  /** 100 when left out, and never more than 1,000. */
  readonly limit?: number
  readonly before?: JobId
}

/** @since 0.1.0 */
export interface RunPage {
  readonly runs: ReadonlyArray<Run>
  /**
   * The next page begins `before` this one; none where nothing follows. A page may be short, and even empty, and have one: of
   * several labels, one page looks at 10,000 runs of the rarest.
   */
  readonly next: Option.Option<JobId>
}

/** @since 0.1.0 */
export interface EventPage {
  readonly events: ReadonlyArray<JobEvent>
  /** The run was over when the page was read. */
  readonly ended: boolean
  /** There may be more to read. */
  readonly more: boolean
  /** Bytes of the payloads that were read; 0 where they are in memory anyway. */
  readonly size: number
}

/** @since 0.1.0 */
export interface CursorPage {
  readonly events: ReadonlyArray<JobEvent>
  /** How far was read; events of other kinds are passed over. */
  readonly cursor: number
  /** There may be more to read. */
  readonly more: boolean
  /** Bytes of the payloads that were read; 0 where they are in memory anyway. */
  readonly size: number
}

/** @since 0.1.0 */
export interface UnfinishedRun {
  readonly run: Run
  /** `job.stopping` is committed for the current attempt. */
  readonly stopping: boolean
  /** How many attempts in a row ended in a crash without an event of the orchestrator. */
  readonly crashes: number
}

/** @since 0.1.0 */
export interface NewRun {
  readonly id: JobId
  readonly kind: string
  readonly key: string | undefined
  readonly config: unknown
  readonly labels: { readonly [name: string]: string }
  /** JSON text: encoded once, since it may be megabytes. */
  readonly submission?: string | undefined
  readonly at: DateTime.Utc
}

/**
 * A change of state on behalf of the current attempt, named by the event that tells of it.
 *
 * @since 0.1.0
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

/** @since 0.1.0 */
export interface Resumption {
  readonly jobId: JobId
  /** The attempt that begins. */
  readonly attempt: number
  readonly key: string | undefined
  readonly at: DateTime.Utc
}

/**
 * An event that was taken in, as it goes into the log.
 *
 * @since 0.1.0
 */
export interface AcceptedEvent {
  readonly at: DateTime.Utc
  readonly type: string
  readonly unit?: string | undefined
  readonly task?: number | undefined
  /** JSON text: encoded once, when it was accepted, so that what is changed afterwards changes nothing here. */
  readonly payload?: string | undefined
}
