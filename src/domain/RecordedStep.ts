/**
 * A step of a job: done once, and remembered for all later attempts.
 *
 * @since 0.2.0
 */
import { Schema } from "effect"
import { JobId } from "./JobId.js"

/**
 * The maximum length of the name of a step.
 *
 * @internal
 */
export const maxNameBytes = 256

/**
 * A recorded step. Its value is read separately.
 *
 * @since 0.2.0
 * @category models
 */
export class RecordedStep extends Schema.Class<RecordedStep>("charlotte/RecordedStep")({
  /** The number of the step within the job and the jobs that retry it: 1, 2, 3 … */
  seq: Schema.Int.pipe(Schema.positive()),
  name: Schema.NonEmptyString,
  /** The job that has done it: a job that retries another finds the steps of that one. */
  jobId: JobId,
  /** The attempt that has done it. */
  attempt: Schema.Int.pipe(Schema.positive()),
  at: Schema.DateTimeUtc,
  /** How long it took. */
  millis: Schema.Int.pipe(Schema.nonNegative()),
  /** Whether it succeeded; otherwise its value is its typed failure. */
  ok: Schema.Boolean
}) {}
