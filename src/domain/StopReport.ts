/**
 * The outcome of a stop.
 *
 * @since 0.1.0
 */
import { Schema } from "effect"
import { JobId } from "./JobId.js"
import { RunStatus } from "./RunStatus.js"

/**
 * A process that was killed because it did not exit within the grace period.
 *
 * @since 0.2.0
 * @category models
 */
export const KilledProcess = Schema.Struct({
  pid: Schema.Int,
  /** The name of its program, which the kernel truncates to 15 bytes. */
  command: Schema.String
})

/**
 * A killed process.
 *
 * @since 0.2.0
 * @category models
 */
export interface KilledProcess extends Schema.Schema.Type<typeof KilledProcess> {}

/**
 * The outcome of stopping a job. `elapsed` is measured from the stop request.
 *
 * @since 0.1.0
 * @category models
 */
export class StopReport extends Schema.Class<StopReport>("charlotte/StopReport")({
  jobId: JobId,
  /** The recorded status after the stop. */
  status: RunStatus,
  /**
   * - `graceful`: the job ended within the grace period, as `status` says: also `completed` or `failed`, if it ended by itself meanwhile
   * - `forced`: some of its processes had to be killed
   * - `alreadyEnded`: the work of the job had ended before the stop
   * - `timedOut`: the job is still running, and stays listed as `stopping` (from `stopAll` only)
   */
  mode: Schema.Literal("graceful", "forced", "alreadyEnded", "timedOut"),
  /** With `forced`: the killed processes, if the orchestrator reports them; at most 100. */
  killed: Schema.optional(Schema.Array(KilledProcess)),
  /** The time from the call to the report. */
  elapsed: Schema.DurationFromMillis
}) {}
