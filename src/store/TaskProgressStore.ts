/**
 * How far jobs have come with their units and tasks. An orchestrator writes it, in the name of its attempt; any other
 * attempt is refused.
 *
 * @since 0.1.0
 */
import type { Effect } from "effect"
import type { StoreError, Superseded } from "../domain/errors.js"
import type { JobId } from "../domain/JobId.js"
import type { TaskCounts, TaskRecord, UnitRecord, Work } from "../domain/Work.js"

/** @since 0.1.0 */
export interface TaskProgressStore {
  /** Records all units and tasks of a job, or none; does nothing when the job has some already. */
  readonly plan: (planned: {
    readonly jobId: JobId
    readonly attempt: number
    readonly work: Work
  }) => Effect.Effect<void, Superseded | StoreError>

  /**
   * Puts a unit in place of what was recorded of it. One that was not planned is a defect, and one that leaves a state in
   * which it was over is refused as a failure of the store.
   */
  readonly unit: (changed: {
    readonly jobId: JobId
    readonly attempt: number
    readonly unit: UnitRecord
  }) => Effect.Effect<void, Superseded | StoreError>

  /** Puts a task in place of what was recorded of it, as `unit` does. */
  readonly task: (changed: {
    readonly jobId: JobId
    readonly attempt: number
    readonly task: TaskRecord
  }) => Effect.Effect<void, Superseded | StoreError>

  /** Units by their position, and the tasks of one after those of another; nothing when nothing was planned. */
  readonly of: (jobId: JobId) => Effect.Effect<Work, StoreError>

  /** How far these jobs have come; those without tasks are missing. */
  readonly counts: (jobIds: ReadonlyArray<JobId>) => Effect.Effect<ReadonlyMap<JobId, TaskCounts>, StoreError>
}
