/**
 * What a stop came to.
 *
 * @since 0.1.0
 */
import { Schema } from "effect"
import { JobId } from "./JobId.js"
import { RunStatus } from "./RunStatus.js"

/** @since 0.1.0 */
export class StopReport extends Schema.Class<StopReport>("charlotte/StopReport")({
  jobId: JobId,
  /** What the record says. */
  status: RunStatus,
  /**
   * - `graceful`: it ended by itself when it was told to
   * - `forced`: something had to be killed
   * - `alreadyEnded`: it was over before
   * - `timedOut`: it is still running, and stays visible as `stopping` (from `stopAll` only)
   */
  mode: Schema.Literal("graceful", "forced", "alreadyEnded", "timedOut"),
  /** From the call to the answer. */
  elapsed: Schema.DurationFromMillis
}) {}
