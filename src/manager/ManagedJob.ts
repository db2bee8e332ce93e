/**
 * A job that is active now, as its manager sees it.
 *
 * @since 0.1.0
 */
import type { DateTime, Duration, Effect, Stream } from "effect"
import type { JobNotFound, StopError, StoreError } from "../domain/errors.js"
import type { JobEvent } from "../domain/JobEvent.js"
import type { JobId } from "../domain/JobId.js"
import type { Run } from "../domain/Run.js"
import type { StopReport } from "../domain/StopReport.js"

/**
 * An active job. `R` is the record that `await` returns, `E` the errors of `await`, and `Event` the type of its events.
 *
 * @since 0.1.0
 * @category models
 */
export interface ManagedJob<out Config, out R = Run, out E = JobNotFound | StoreError, out Event = JobEvent> {
  readonly id: JobId
  readonly config: Config
  readonly attempt: number
  readonly startedAt: DateTime.Utc
  /** The phase at the time of `get`. */
  readonly phase: Phase
  /** See `JobManager.events`. */
  readonly events: (options?: { readonly after?: number }) => Stream.Stream<Event, JobNotFound | StoreError>
  /** See `JobManager.stop`. */
  readonly stop: (options?: StopOptions) => Effect.Effect<StopReport, StopError>
  /** See `JobManager.await`. */
  readonly await: Effect.Effect<R, E>
}

/**
 * Options of `stop`.
 *
 * @since 0.2.0
 * @category options
 */
export interface StopOptions {
  /** How long the job may take to end by itself; the grace period of the manager by default. */
  readonly grace?: Duration.DurationInput
  /** Who stops the job; recorded as claimed, not verified. */
  readonly by?: string | undefined
}

/**
 * What an active job is doing.
 *
 * @since 0.1.0
 * @category models
 */
export type Phase = "running" | "stopping"
