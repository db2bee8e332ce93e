/**
 * A signal as it is recorded with its job.
 *
 * @since 0.2.0
 */
import { Schema } from "effect"

/**
 * A signal that a job was sent.
 *
 * @since 0.2.0
 * @category models
 */
export class RecordedSignal extends Schema.Class<RecordedSignal>("charlotte/RecordedSignal")({
  /** The sequence number of its event. */
  seq: Schema.Int.pipe(Schema.positive()),
  /** The attempt during which it came, or which was the last before it. */
  attempt: Schema.Int.pipe(Schema.positive()),
  name: Schema.String,
  payload: Schema.optional(Schema.Unknown),
  /** Whether the job was resumed by it, or by a later one of its name. */
  used: Schema.Boolean
}) {}
