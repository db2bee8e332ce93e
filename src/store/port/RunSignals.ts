/**
 * The signals of jobs.
 *
 * @since 0.2.0
 */
import type { DateTime, Effect, Option } from "effect"
import type { JobEnded, JobNotFound, StoreError, TooManySignals } from "../../domain/errors.js"
import type { JobId } from "../../domain/JobId.js"
import type { RecordedSignal } from "../../domain/RecordedSignal.js"
import type { Sender } from "../../domain/Sender.js"

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
