/**
 * How long finished runs are kept.
 *
 * @since 0.2.0
 */
import type { Duration } from "effect"
import type { JobId } from "./JobId.js"

/**
 * How long the finished runs of a kind are kept; for ever by default. A run is pruned, with its events, logs and all other records,
 * once it is older than its status allows, or once there are more than `maxRuns`. Runs that are not over or are pinned are
 * kept.
 *
 * @since 0.2.0
 * @category options
 */
export interface Retention {
  /** How long completed runs are kept after they have ended. */
  readonly completed?: Duration.DurationInput | undefined
  /** The same for failed runs, and for cancelled ones unless `cancelled` says otherwise. */
  readonly failed?: Duration.DurationInput | undefined
  readonly cancelled?: Duration.DurationInput | undefined
  /** How many finished runs are kept, the last to end first; pinned runs do not count. */
  readonly maxRuns?: number | undefined
}

/**
 * The runs of a kind that were pruned, or would be.
 *
 * @since 0.2.0
 * @category models
 */
export interface PrunedRuns {
  readonly kind: string
  /** The number of runs. */
  readonly runs: number
  /** The first 1,000 of these runs. */
  readonly jobs: ReadonlyArray<JobId>
}
