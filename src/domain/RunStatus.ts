/**
 * The state machine of a run. It stands here once; the database restates it in constraints, and the README draws it.
 *
 * @since 0.1.0
 */
import { Schema } from "effect"

/**
 * - `pending`: recorded, not yet started
 * - `running`: a manager works on it, or a manager died while it did and none has taken over yet
 * - `interrupted`: cut short by the end of its manager; goes on as the next attempt
 * - `completed`, `failed`, `cancelled`: over, for good
 *
 * @since 0.1.0
 */
export const RunStatus = Schema.Literal("pending", "running", "interrupted", "completed", "failed", "cancelled")

/** @since 0.1.0 */
export type RunStatus = typeof RunStatus.Type

/**
 * Every status, and those that may follow it.
 *
 * @since 0.1.0
 */
export const transitions: { readonly [From in RunStatus]: ReadonlyArray<RunStatus> } = {
  pending: ["running", "cancelled"],
  running: ["completed", "failed", "cancelled", "interrupted"],
  interrupted: ["running", "failed", "cancelled"],
  completed: [],
  failed: [],
  cancelled: []
}

/** @since 0.1.0 */
export const canBecome = (from: RunStatus, to: RunStatus): boolean => transitions[from].includes(to)

/**
 * Whether a run with this status is over for good.
 *
 * @since 0.1.0
 */
export const isTerminal = (status: RunStatus): boolean => transitions[status].length === 0
