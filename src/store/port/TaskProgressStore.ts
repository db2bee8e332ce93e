/**
 * Progress of the units and tasks of jobs, recorded by the orchestrator of the current attempt; writes of any other attempt
 * fail.
 *
 * @since 0.1.0
 */
import type { Effect } from "effect"
import type { StoreError, Superseded } from "../../domain/errors.js"
import type { Cost } from "../../domain/Cost.js"
import type { JobId } from "../../domain/JobId.js"
import type { TaskCounts, TaskRecord, UnitRecord, Work } from "../../domain/Work.js"

/**
 * The records of units and tasks.
 *
 * @since 0.1.0
 * @category models
 */
export interface TaskProgressStore {
  /** Records all units and tasks of a job atomically; if the job already has some, only further tasks of its units. */
  readonly plan: (planned: {
    readonly jobId: JobId
    readonly attempt: number
    readonly work: Work
  }) => Effect.Effect<void, Superseded | StoreError>

  /**
   * Replaces the record of a unit. A unit that was not planned is a defect; leaving a terminal state fails as a `StoreError`, except
   * that a unit that is merged or skipped can run again.
   */
  readonly unit: (changed: {
    readonly jobId: JobId
    readonly attempt: number
    readonly unit: UnitRecord
  }) => Effect.Effect<void, Superseded | StoreError>

  /** Records a task of a planned unit that is not part of the plan, at a position after its others; once. */
  readonly add: (added: {
    readonly jobId: JobId
    readonly attempt: number
    readonly task: TaskRecord
  }) => Effect.Effect<void, Superseded | StoreError>

  /** Replaces the record of a task, by the same rules as `unit`, without the exception. */
  readonly task: (changed: {
    readonly jobId: JobId
    readonly attempt: number
    readonly task: TaskRecord
  }) => Effect.Effect<void, Superseded | StoreError>

  /** Units by position, and tasks by unit and position; both are empty if nothing was planned. */
  readonly of: (jobId: JobId) => Effect.Effect<Work, StoreError>

  /** Task counts per job; jobs without tasks are left out. */
  readonly counts: (jobIds: ReadonlyArray<JobId>) => Effect.Effect<ReadonlyMap<JobId, TaskCounts>, StoreError>

  /** What the turns at the tasks of each job have cost, in no order; jobs without any cost are left out. */
  readonly costs: (jobIds: ReadonlyArray<JobId>) => Effect.Effect<ReadonlyMap<JobId, ReadonlyArray<Cost>>, StoreError>

  /** The names of the first units per job, at most this many; jobs without units are left out. */
  readonly unitNames: (
    jobIds: ReadonlyArray<JobId>,
    most: number
  ) => Effect.Effect<ReadonlyMap<JobId, ReadonlyArray<string>>, StoreError>
}
