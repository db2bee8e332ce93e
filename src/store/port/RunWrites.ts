/**
 * The writes of a run store: each is one transaction with its event.
 *
 * @since 0.2.0
 */
import type { DateTime, Duration, Effect, Option } from "effect"
import type {
  IdempotencyKeyReused,
  JobConflict,
  KindPaused,
  MaxJobsReached,
  QueueFull,
  StoreError,
  Superseded
} from "../../domain/errors.js"
import type { Lifecycle } from "../../domain/JobEvent.js"
import type { JobId } from "../../domain/JobId.js"
import type { Parked, Progress, RunError, RunTrace } from "../../domain/Run.js"
import type { Sender } from "../../domain/Sender.js"
import type { WhenKeyTaken } from "../../domain/StartOptions.js"
import type { Attaching, Idempotency } from "./RunKeys.js"

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
