/**
 * The interface of a job manager, and its limits.
 *
 * @since 0.1.0
 */
import type { DateTime, Duration, Effect, Either, Option, Stream } from "effect"
import type {
  InvalidJobConfig,
  JobConflict,
  JobNotFound,
  QueueFull,
  RemoveError,
  RescheduleError,
  ResumeError,
  RetryError,
  ShuttingDown,
  SignalError,
  StopError,
  StoreError,
  UndecodableRun
} from "../domain/errors.js"
import type { JobEvent } from "../domain/JobEvent.js"
import type { JobId } from "../domain/JobId.js"
import type { Retention } from "../domain/Retention.js"
import type { Run, TypedRun } from "../domain/Run.js"
import type { Start, StartOptions } from "../domain/StartOptions.js"
import type { StopReport } from "../domain/StopReport.js"
import type { Health } from "./internal/persistRetry.js"
import type { ManagedJob, StopOptions } from "./ManagedJob.js"
import type { AnySignals } from "./Orchestrator.js"

export type { StartError } from "../domain/errors.js"
export type { Start, StartOptions } from "../domain/StartOptions.js"

/**
 * Marks a manager without schemas for success and failure values: its records are of the class `Run`.
 *
 * @since 0.2.0
 * @category models
 */
export interface Untyped {
  readonly _: unique symbol
}

type IfUntyped<Success, Then, Else> = [Untyped, Success] extends [Success, Untyped] ? Then : Else

/**
 * The record of a job: decoded by the schemas of its kind, or a `Run`.
 *
 * @since 0.2.0
 * @category models
 */
export type RunOf<Config, Success, Error> = IfUntyped<Success, Run, TypedRun<Config, Success, Error>>

/**
 * The errors of `await`. Only records of a kind with schemas (`JobKind`) can be undecodable.
 *
 * @since 0.2.0
 * @category models
 */
export type AwaitError<Success> = JobNotFound | StoreError | IfUntyped<Success, never, UndecodableRun>

/**
 * Options of `signal`.
 *
 * @since 0.2.0
 * @category options
 */
export interface SignalOptions {
  /** Who sends the signal; recorded as claimed, not verified. */
  readonly by?: string | undefined
  /**
   * Whether the name may be one of Charlotte's own.
   *
   * @internal
   */
  readonly isReserved?: boolean
}

/**
 * Options of `reschedule`; at least one of `priority` and `startAt` is needed.
 *
 * @since 0.2.0
 * @category options
 */
export interface RescheduleOptions extends Pick<StartOptions, "priority"> {
  /** `now`, or a time in the past: as soon as a permit is free. */
  readonly startAt?: DateTime.DateTime | "now" | undefined
  /** Who asks for it; recorded as claimed, not verified. */
  readonly by?: string | undefined
}

/**
 * Options of `resume`.
 *
 * @since 0.2.0
 * @category options
 */
export interface ResumeOptions {
  /** Who resumes the job; recorded as claimed, not verified. */
  readonly by?: string | undefined
}

/**
 * Options of `pause`, `unpause` and `limit`.
 *
 * @since 0.2.0
 * @category options
 */
export interface PauseOptions {
  /** Who asks for it; recorded as claimed, not verified. */
  readonly by?: string | undefined
}

/**
 * Options of `retry`.
 *
 * @since 0.2.0
 * @category options
 */
export interface RetryOptions {
  /**
   * Whether to begin from the start: jobs of kind `tasks` then take over nothing that was not merged. The new run begins a chain of
   * retries, which retention prunes apart from the earlier one.
   */
  readonly fresh?: boolean | undefined
  /** Whether a completed run is done once more. */
  readonly again?: boolean | undefined
  /** Who retries the run; recorded as claimed, not verified. */
  readonly by?: string | undefined
}

/**
 * The runs that `retryMany` retries, among the failed and cancelled ones. At least one of `status`, `labels` and `q` is needed.
 *
 * @since 0.2.0
 * @category options
 */
export interface RetryQuery extends Pick<RetryOptions, "fresh" | "by"> {
  /** Only runs of this status. */
  readonly status?: "failed" | "cancelled" | undefined
  /** The labels that a run must have. */
  readonly labels?: { readonly [name: string]: string } | undefined
  /** The text that a run must have; see `RunQuery`. */
  readonly q?: string | undefined
  /** Only runs older than this one. */
  readonly before?: JobId | undefined
}

/**
 * How far `retryMany` has come.
 *
 * @since 0.2.0
 * @category models
 */
export interface RetryProgress {
  /** How many runs are retried so far. */
  readonly retried: number
  /** How many runs were refused so far, for example because another job holds their key, or because the queue is full. */
  readonly refused: number
  /** Why the first of them was refused. */
  readonly problem?: string
  /** The oldest run that was considered. */
  readonly last: JobId
}

/**
 * Options of `remove`.
 *
 * @since 0.2.0
 * @category options
 */
export interface RemoveOptions {
  /** Whether a run that is not over is stopped first; it is refused otherwise. */
  readonly stop?: boolean | undefined
  /** Whether pinned runs are removed, too. */
  readonly pinned?: boolean | undefined
  /** Who removes the run; recorded as claimed, not verified. */
  readonly by?: string | undefined
}

/**
 * The runs that `removeMany` removes, among those that are over. At least one of `status`, `labels` and `q` is needed.
 *
 * @since 0.2.0
 * @category options
 */
export interface RemoveQuery extends Omit<RetryQuery, "fresh" | "status">, Pick<RemoveOptions, "pinned"> {
  /** Only runs of this status. */
  readonly status?: "completed" | "failed" | "cancelled" | undefined
}

/**
 * How far `removeMany` has come.
 *
 * @since 0.2.0
 * @category models
 */
export interface RemoveProgress extends Omit<RetryProgress, "retried"> {
  /** How many of the runs that match are removed so far; the other runs of their chains are not counted. */
  readonly removed: number
}

/**
 * The arguments of `signal` after the name. A payload that may be `undefined` can be left out.
 *
 * @since 0.2.0
 * @category types
 */
export type SignalArguments<Payload> = undefined extends Payload
  ? [payload?: Payload, options?: SignalOptions]
  : [payload: Payload, options?: SignalOptions]

/**
 * Sends one of the signals in a map from name to encoded payload.
 *
 * @since 0.2.0
 * @category types
 */
export type SendSignal<Signals, Sent> = string extends keyof Signals
  ? (id: JobId, name: string, payload?: unknown, options?: SignalOptions) => Sent
  : <Name extends keyof Signals & string>(id: JobId, name: Name, ...rest: SignalArguments<Signals[Name]>) => Sent

/**
 * The operations of a job manager. For a kind of job (`JobKind`), `Success` and `Error` are the values that its jobs succeed and fail
 * with, `Signals` the encoded payloads of the signals that they accept, and `Event` the events that they have.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service<
  out Config,
  in Encoded,
  Success = Untyped,
  Error = Untyped,
  Signals = AnySignals,
  out Event = JobEvent
> {
  /**
   * Records a job, starts or queues it as `options` say, and returns its id without waiting for the orchestrator. It is atomic:
   * after a failure or an interruption the job either exists, running or waiting, or leaves no trace.
   *
   * Inside a transaction of the SQL client under `RunStore.layer` the run is one row of that transaction: after the commit it
   * waits for a permit, and it is checked when it begins. `MaxJobsReached` does not occur there, which the type says with
   * `whenFull: "queue"`; `attach` and `replace` fail with `InvalidJobConfig`. All other operations that write or wait die inside
   * such a transaction.
   */
  readonly start: Start<Encoded, StoreError>

  /** Records runs that wait for permits in the order of their configurations; each is accepted or refused independently. */
  readonly startMany: (
    configs: ReadonlyArray<Encoded>,
    options?: Omit<StartOptions, "whenFull" | "idempotencyKey">
  ) => Effect.Effect<
    ReadonlyArray<Either.Either<JobId, InvalidJobConfig | JobConflict | QueueFull>>,
    ShuttingDown | StoreError
  >

  /**
   * Stops a job and returns once it is over: its fibers and finalizers have ended, its end is recorded, and its permit is free.
   * The orchestrator has `grace` to end by itself, plus one second. A later stop with a shorter grace shortens it.
   * A waiting run (pending, parked or interrupted) is cancelled; a run that is over is reported as `alreadyEnded`.
   */
  readonly stop: (id: JobId, options?: StopOptions) => Effect.Effect<StopReport, StopError>

  /**
   * Stops all jobs at the same time, under one deadline; jobs that have not ended by then are reported as `timedOut`. No waiting
   * run begins until it returns: pending and parked runs are cancelled, and under automatic recovery interrupted runs, too.
   */
  readonly stopAll: Effect.Effect<ReadonlyArray<StopReport>>

  /** As `stopAll`, and records with each job who stops it, as claimed. */
  readonly stopAllBy: (by: string | undefined) => Effect.Effect<ReadonlyArray<StopReport>>

  /** The job with this id, while it is active. */
  readonly get: (
    id: JobId
  ) => Effect.Effect<Option.Option<ManagedJob<Config, RunOf<Config, Success, Error>, AwaitError<Success>, Event>>>

  /** The ids of the active jobs, oldest first. */
  readonly list: Effect.Effect<ReadonlyArray<JobId>>

  /** How many jobs are active. */
  readonly activeCount: Effect.Effect<number>

  /**
   * Waits until the job has ended and its permit is free, and returns its record. If the manager closes first, it returns the
   * current record.
   */
  readonly await: (id: JobId) => Effect.Effect<RunOf<Config, Success, Error>, AwaitError<Success>>

  /**
   * Sends a signal with any JSON as payload. The signal is recorded with the job, and wakes a job that has parked for it. `by`
   * names the sender, unverified. For a kind that declares its signals, an undeclared name or a payload that does not decode is an
   * `InvalidSignal`.
   */
  readonly signal: SendSignal<Signals, Effect.Effect<void, SignalError>>

  /** Continues an interrupted run as its next attempt. A parked run continues as soon as a permit is free. */
  readonly resume: (id: JobId, options?: ResumeOptions) => Effect.Effect<void, ResumeError>

  /**
   * Retries a failed or cancelled run, and with `again` a completed one: a new run with its recorded configuration, labels, priority
   * and keys waits for a permit. Returns the id of that run (`Run.retriedAs`), which a repeated call returns again; the run that has
   * ended stays as it is. Jobs of kind `tasks` take over its completed work.
   */
  readonly retry: (id: JobId, options?: RetryOptions) => Effect.Effect<JobId, RetryError>

  /**
   * Retries all failed and cancelled runs that match and that no run retries yet, from the newest on, and emits its progress. After it
   * has broken off, another call retries the others. A query that matches all runs is refused as invalid.
   */
  readonly retryMany: (query: RetryQuery) => Stream.Stream<RetryProgress, StoreError | ShuttingDown>

  /**
   * Removes a run that is over and all that is recorded of it, and calls `forget` for what it has left elsewhere. The other runs of its
   * chain of retries go with it. It returns once they are deleted, as it does for a run that was removed before; from its first write
   * on no reader finds the run, and a crash or an interruption changes nothing in that. What remains for a year is its id, and who has removed
   * it. It fails with `NotRemovable` if a run of the chain is pinned or not over, a parent may still read its end, or a child is not over.
   */
  readonly remove: (id: JobId, options?: RemoveOptions) => Effect.Effect<void, RemoveError>

  /**
   * Removes all runs that are over, that match and that no run retries, each with its chain, from the newest on, and emits its progress.
   * After it has broken off, another call removes the others. A query that matches all runs is refused as invalid.
   */
  readonly removeMany: (query: RemoveQuery) => Stream.Stream<RemoveProgress, StoreError | ShuttingDown>

  /**
   * Changes the priority of a run that is pending, parked or interrupted, and when a pending one begins, at the earliest. It still waits
   * for a permit.
   */
  readonly reschedule: (id: JobId, options: RescheduleOptions) => Effect.Effect<void, RescheduleError>

  /**
   * Changes how many jobs of the kind run at once: on one machine until the manager is made again, in a cluster for all nodes together,
   * as recorded. `default` is `maxJobs`. A lower limit stops no job.
   */
  readonly limit: (
    maxJobs: number | "default",
    options?: PauseOptions
  ) => Effect.Effect<void, ShuttingDown | StoreError>

  /** How many jobs of the kind may run at once, on all nodes of a cluster together. */
  readonly maxJobs: Effect.Effect<number, StoreError>

  /**
   * Pauses the kind, on all nodes of a cluster and over restarts: once it returns, no attempt of a job begins, but for a stop
   * (`onStop: "run"`). Running jobs continue. `start` fails with `KindPaused`, or records a run that waits; what becomes due, such as a
   * retry, waits; `resume` of an interrupted run fails with `KindPaused`.
   */
  readonly pause: (options?: PauseOptions) => Effect.Effect<void, StoreError>

  /** Ends the pause of the kind: what is due begins. */
  readonly unpause: (options?: PauseOptions) => Effect.Effect<void, StoreError>

  /** The events of a job with a `seq` above `after`: the recorded ones, then live ones; ends after the terminal event. */
  readonly events: (id: JobId, options?: { readonly after?: number }) => Stream.Stream<Event, JobNotFound | StoreError>

  /** The events of all jobs of this manager after a cursor (by default from the first); ends when the manager closes. */
  readonly allEvents: (options?: { readonly after?: number | "latest" }) => Stream.Stream<Event, StoreError>

  /** Whether everything that happened is recorded. */
  readonly health: Effect.Effect<Health>
}

/**
 * Limits of a manager.
 *
 * @since 0.1.0
 * @category options
 */
export interface Options {
  /** Maximum number of active jobs; 10 by default. */
  readonly maxJobs?: number
  /** Grace period for a stopped orchestrator; 5 seconds by default. */
  readonly stopGrace?: Duration.DurationInput
  /** Whether interrupted runs are resumed by the manager, or only by `resume`; `automatic` by default. */
  readonly recovery?: "automatic" | "manual"
  /** Maximum number of pending runs, delayed ones included; 10,000 by default. */
  readonly maxQueued?: number
  /**
   * Maximum size of a configuration, a result, and the payload of an event, in bytes of JSON; 1 MiB by default. A larger configuration is
   * `InvalidJobConfig`, and a larger result or event a defect of the job. @since 0.2.0
   */
  readonly maxBytes?: number
  /** How many checks run concurrently; 4 by default. */
  readonly maxChecks?: number
  /** How long finished runs are kept; for ever by default. They are pruned at start-up, and then within 10 minutes. */
  readonly retention?: Retention
  /**
   * Whether this manager begins waiting runs (the default), or leaves them to the next manager.
   *
   * @internal
   */
  readonly dispatch?: boolean
  /**
   * Called when the ownership of the kind is lost, with the effect that interrupts all jobs.
   *
   * @internal
   */
  readonly onLost?: (letGo: Effect.Effect<void>) => Effect.Effect<void>
}
