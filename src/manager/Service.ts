/**
 * What a job manager does.
 *
 * @since 0.1.0
 */
import type { Duration, Effect, Option, Schema, Stream } from "effect"
import type {
  InvalidJobConfig,
  JobConflict,
  JobNotFound,
  MaxJobsReached,
  NotResumable,
  ShuttingDown,
  StopTimedOut,
  StoreError
} from "../domain/errors.js"
import type { JobEvent } from "../domain/JobEvent.js"
import type { JobId } from "../domain/JobId.js"
import type { Run } from "../domain/Run.js"
import type { StopReport } from "../domain/StopReport.js"
import type { Health } from "./Durable.js"
import type { ManagedJob } from "./ManagedJob.js"
import type { Service as Orchestrator } from "./Orchestrator.js"

/** @since 0.1.0 */
export interface Service<out Config, in Encoded> {
  /**
   * Records a job, starts it, and returns its id without waiting for the orchestrator. It is atomic: when it fails or is
   * interrupted, either the job exists and runs, or there is no trace of it.
   */
  readonly start: (
    config: Encoded
  ) => Effect.Effect<JobId, MaxJobsReached | JobConflict | InvalidJobConfig | ShuttingDown | StoreError>

  /**
   * Stops a job and returns when it is really over: its fiber and finalizers have ended, the record says so, its permit is
   * back. The orchestrator has `grace` to end politely, and one second more. An interrupted run that waits to go on is
   * cancelled; one that is over gives its report with `alreadyEnded`.
   */
  readonly stop: (
    id: JobId,
    options?: { readonly grace?: Duration.DurationInput }
  ) => Effect.Effect<StopReport, JobNotFound | StopTimedOut | StoreError>

  /** Stops all jobs at the same time, under one deadline; those that have not ended by then are reported as `timedOut`. */
  readonly stopAll: Effect.Effect<ReadonlyArray<StopReport>>

  /** The job of that id, while it is active. */
  readonly get: (id: JobId) => Effect.Effect<Option.Option<ManagedJob<Config>>>

  /** The ids of the active jobs, oldest first. */
  readonly list: Effect.Effect<ReadonlyArray<JobId>>

  readonly activeCount: Effect.Effect<number>

  /**
   * Waits until the job has ended and its permit is back, and gives its record. When the manager closes first, the record is
   * given as it stands.
   */
  readonly await: (id: JobId) => Effect.Effect<Run, JobNotFound | StoreError>

  /** Continues an interrupted run as its next attempt. */
  readonly resume: (
    id: JobId
  ) => Effect.Effect<void, JobNotFound | NotResumable | MaxJobsReached | JobConflict | ShuttingDown | StoreError>

  /** The events of a job after the number `after`: those that are recorded, then the live ones, to the last; then it ends. */
  readonly events: (
    id: JobId,
    options?: { readonly after?: number }
  ) => Stream.Stream<JobEvent, JobNotFound | StoreError>

  /** The events of all jobs of this manager, from the first or from those after a cursor; it ends when the manager closes. */
  readonly allEvents: (options?: { readonly after?: number | "latest" }) => Stream.Stream<JobEvent, StoreError>

  /** Whether everything that happened is recorded. */
  readonly health: Effect.Effect<Health>
}

/** @since 0.1.0 */
export interface Options {
  /** How many jobs may be active at once; 10 when left out. */
  readonly maxJobs?: number
  /** How long an orchestrator may take to end when it is stopped; 5 seconds when left out. */
  readonly stopGrace?: Duration.DurationInput
  /** Whether interrupted runs go on by themselves, or wait for `resume`; automatic when left out. */
  readonly recovery?: "automatic" | "manual"
}

/** @since 0.1.0 */
export interface MakeOptions<C, I> extends Options {
  /** One manager owns the jobs of a kind in a database. */
  readonly kind: string
  readonly config: Schema.Schema<C, I>
  readonly orchestrator: Orchestrator<C>
  /** Words to find a run again by. */
  readonly labels?: (config: C) => { readonly [name: string]: string }
}
