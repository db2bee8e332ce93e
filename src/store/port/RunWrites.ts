/**
 * The writes of a run store: each is one transaction with its event.
 *
 * @since 0.2.0
 */
import type { DateTime, Effect, Option } from "effect"
import type {
  IdempotencyKeyReused,
  JobConflict,
  MaxJobsReached,
  QueueFull,
  StoreError,
  Superseded
} from "../../domain/errors.js"
import type { Lifecycle } from "../../domain/JobEvent.js"
import type { JobId } from "../../domain/JobId.js"
import type { Parked, RunError, RunTrace } from "../../domain/Run.js"
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
   * Records a new run with its first event, as `running`, or as `pending` if it has to wait. That is decided in the same
   * transaction.
   */
  readonly create: (run: NewRun) => Effect.Effect<Created, JobConflict | QueueFull | IdempotencyKeyReused | StoreError>

  /**
   * Records the idempotency key of a request that attaches to another job, for as long as that run is kept, and returns the job;
   * none if no job holds the key any more. For an idempotency key that is recorded already, it returns the run of that key.
   */
  readonly attach: (attaching: Attaching) => Effect.Effect<Option.Option<JobId>, IdempotencyKeyReused | StoreError>

  /**
   * Records a state change together with its event; fails unless the attempt is the current one. Returns the type of that
   * event: a run that parks or is interrupted while the intent to stop it is recorded is cancelled instead.
   */
  readonly record: (change: Change) => Effect.Effect<Change["type"], Superseded | StoreError>

  /** The change as `record` records it, if that differs, for example without secrets. */
  readonly asRecorded?: (change: Change) => Change

  /**
   * Begins the attempt of a run that waits: the first of a pending run, the next of an interrupted or a parked one. Fails
   * unless that attempt is the one to begin, and in a cluster where no more jobs may run. `waits`: the key is another job's, and the
   * run waits behind it.
   */
  readonly begin: (beginning: Beginning) => Effect.Effect<"running" | "waits", MaxJobsReached | Superseded | StoreError>

  /** Appends emitted events; fails unless the attempt is the current one and running. */
  readonly append: (emitted: {
    readonly jobId: JobId
    readonly attempt: number
    readonly events: ReadonlyArray<AcceptedEvent>
  }) => Effect.Effect<void, Superseded | StoreError>
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
  /** What is searched instead of labels and config if these contain secrets; JSON text of `{ labels, config }`. */
  readonly searched?: string | undefined
  readonly at: DateTime.Utc
  /** The key of the caller's options, a second one. */
  readonly startKey?: string | undefined
  /** What to do if another job holds one of the keys; `refuse` by default. */
  readonly whenKeyTaken?: WhenKeyTaken | undefined
  /** 0 by default. */
  readonly priority?: number | undefined
  readonly startAt?: DateTime.Utc | undefined
  readonly idempotency?: Idempotency | undefined
  /** Whether it waits for a permit, rather than has one. */
  readonly isQueued?: boolean | undefined
  /** How many pending runs there may be; without a limit by default. */
  readonly maxQueued?: number | undefined
  readonly trace?: RunTrace | undefined
}

/**
 * The result of `create`: the run is running, it is pending, or another run was there before.
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
  /** Only of a run that waits: another node may have begun its attempt meanwhile. */
  readonly ofWaiting?: boolean
  /** With `job.interrupted`: whether the manager crashed. */
  readonly crashed?: boolean
  /** With `crashed`: the commands of the job that were running then, by their purposes. */
  readonly during?: ReadonlyArray<string>
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
  /** Whether a person has resumed it; what has woken a parked run is known already. */
  readonly isResumed?: boolean
  /** The key of `check`, which takes effect only where the run has none yet. */
  readonly key: string | undefined
  /** JSON text of the submission of `check`, for a run that is checked for the first time when it begins. */
  readonly submission?: string | undefined
  /** Replaces the trace of the run, when its first attempt begins. */
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
