/**
 * What a stop came to.
 *
 * @since 0.1.0
 */
import { Schema } from "effect"
import { JobId } from "./JobId.js"
import { RunStatus } from "./RunStatus.js"

/**
 * A process that was killed because it did not end within the grace period.
 *
 * @since 0.2.0
 */
export const KilledProcess = Schema.Struct({
  pid: Schema.Int,
  /** The name of its program, which the kernel cuts to 15 bytes. */
  command: Schema.String
})

/** @since 0.2.0 */
export interface KilledProcess extends Schema.Schema.Type<typeof KilledProcess> {}

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
  /** With `forced`: the processes that were killed, where the orchestrator names them; at most 100. */
  killed: Schema.optional(Schema.Array(KilledProcess)),
  /** From the call to the answer. */
  elapsed: Schema.DurationFromMillis
}) {}
