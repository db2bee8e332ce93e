/**
 * The reads of a run store.
 *
 * @since 0.2.0
 */
import type { Effect, Option, Scope } from "effect"
import type { StoreError } from "../../domain/errors.js"
import type { JobEvent } from "../../domain/JobEvent.js"
import type { JobId } from "../../domain/JobId.js"
import type { Run } from "../../domain/Run.js"
import type { RunStatus } from "../../domain/RunStatus.js"
import type { Work } from "../../domain/Work.js"
import type { Notifier } from "./ChangeNotifier.js"

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
