/**
 * The state machine of a run. The constraints of the database repeat it, and `docs/job-lifecycle.md` draws it.
 *
 * @since 0.1.0
 */
import { Schema } from "effect"

/**
 * - `pending`: recorded; the run waits for a permit, a time or a key
 * - `running`: a manager runs it, or died while running it and no other manager has recovered it yet
 * - `interrupted`: cut short when its manager exited; a resume starts the next attempt
 * - `parked`: the run waits for a time or a signal, and holds only its keys; waking it starts the next attempt
 * - `completed`, `failed`, `cancelled`: terminal
 *
 * @since 0.1.0
 * @category models
 */
export const RunStatus = Schema.Literal(
  "pending",
  "running",
  "interrupted",
  "parked",
  "completed",
  "failed",
  "cancelled"
)

/**
 * The status of a run.
 *
 * @since 0.1.0
 * @category models
 */
export type RunStatus = typeof RunStatus.Type

/**
 * The allowed transitions from each status.
 *
 * @since 0.1.0
 * @category constants
 */
export const transitions: { readonly [From in RunStatus]: ReadonlyArray<RunStatus> } = {
  pending: ["running", "failed", "cancelled"],
  running: ["completed", "failed", "cancelled", "interrupted", "parked"],
  interrupted: ["running", "failed", "cancelled"],
  parked: ["running", "failed", "cancelled"],
  completed: [],
  failed: [],
  cancelled: []
}

/**
 * Whether a run may change from one status to another.
 *
 * @since 0.1.0
 * @category predicates
 */
export const canBecome = (from: RunStatus, to: RunStatus): boolean => transitions[from].includes(to)

/**
 * Whether a run with this status has ended for good.
 *
 * @since 0.1.0
 * @category predicates
 */
export const isTerminal = (status: RunStatus): boolean => transitions[status].length === 0

/**
 * No run in any status.
 *
 * @internal
 */
export const noRuns: { readonly [Status in RunStatus]: number } = {
  pending: 0,
  running: 0,
  interrupted: 0,
  parked: 0,
  completed: 0,
  failed: 0,
  cancelled: 0
}
