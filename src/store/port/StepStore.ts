/**
 * The steps of jobs. They belong to the first run of a chain of retries, so that a run that retries another finds them.
 *
 * @since 0.2.0
 */
import type { DateTime, Effect, Option } from "effect"
import type { StoreError, Superseded } from "../../domain/errors.js"
import type { JobId } from "../../domain/JobId.js"
import type { RecordedStep } from "../../domain/RecordedStep.js"

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
