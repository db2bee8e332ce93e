/**
 * A signal as it is recorded with its job.
 *
 * @since 0.2.0
 */
import { Schema } from "effect"

/**
 * A signal that was sent to a job.
 *
 * @since 0.2.0
 * @category models
 */
export class RecordedSignal extends Schema.Class<RecordedSignal>("charlotte/RecordedSignal")({
  /** The sequence number of its event. */
  seq: Schema.Int.pipe(Schema.positive()),
  /** The attempt during which the signal came, or the last attempt before it. */
  attempt: Schema.Int.pipe(Schema.positive()),
  name: Schema.String,
  payload: Schema.optional(Schema.Unknown),
  /** Whether this signal, or a later one of its name, resumed the job. */
  used: Schema.Boolean
}) {}
