/**
 * A job that another job has started, and may wait for.
 *
 * @since 0.2.0
 */
import { Schema } from "effect"
import { JobId } from "./JobId.js"
import { RunStatus } from "./RunStatus.js"

/**
 * What a stop of a job does with a child: it stops it, too, or leaves it alone.
 *
 * @since 0.2.0
 * @category options
 */
export const OnParentStop = Schema.Literal("stop", "leave")

/**
 * What a stop of a job does with a child: it stops it, too, or leaves it alone.
 *
 * @since 0.2.0
 * @category options
 */
export type OnParentStop = typeof OnParentStop.Type

/**
 * The maximum length of the name of a child.
 *
 * @internal
 */
export const maxNameBytes = 200

/**
 * A child of a job.
 *
 * @since 0.2.0
 * @category models
 */
export class RecordedChild extends Schema.Class<RecordedChild>("charlotte/RecordedChild")({
  name: Schema.NonEmptyString,
  /** The job that the child is; of the last one, if it was retried. */
  jobId: JobId,
  /** The kind of the child. */
  kind: Schema.NonEmptyString,
  /** The status of the child; missing once it is pruned. */
  status: Schema.optional(RunStatus),
  onParentStop: OnParentStop
}) {}
