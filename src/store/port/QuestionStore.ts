/**
 * The questions of agents. They are recorded by the orchestrator of the current attempt of a job, and answered by anyone.
 *
 * @since 0.2.0
 */
import type { DateTime, Effect } from "effect"
import type {
  AlreadyAnswered,
  JobEnded,
  JobNotFound,
  NoOpenQuestion,
  StoreError,
  Superseded
} from "../../domain/errors.js"
import type { JobId } from "../../domain/JobId.js"
import type { Question } from "../../domain/Question.js"
import type { Sender } from "../../domain/Sender.js"

/**
 * The records of questions.
 *
 * @since 0.2.0
 * @category models
 */
export interface QuestionStore {
  /** Records questions of a job that are not recorded yet; writes of any attempt but the current one fail. */
  readonly record: (asked: {
    readonly jobId: JobId
    readonly attempt: number
    readonly questions: ReadonlyArray<Question>
  }) => Effect.Effect<void, Superseded | StoreError>

  /** The questions of a job, by unit, task and `seq`. */
  readonly of: (jobId: JobId) => Effect.Effect<ReadonlyArray<Question>, StoreError>

  /** The questions of jobs that have no answer and whose unit is not over. Jobs without any are left out. */
  readonly open: (
    jobIds: ReadonlyArray<JobId>
  ) => Effect.Effect<ReadonlyMap<JobId, ReadonlyArray<Question>>, StoreError>

  /**
   * Answers the open question of a unit, or of the only unit that has one, and returns it. The same transaction writes the event
   * `unit.answered`, and a run that has parked for an answer then waits for a permit.
   */
  readonly answer: (
    answer: Answer
  ) => Effect.Effect<Question, AlreadyAnswered | JobEnded | JobNotFound | NoOpenQuestion | StoreError>
}

/**
 * An answer to record.
 *
 * @since 0.2.0
 * @category models
 */
export interface Answer {
  readonly jobId: JobId
  readonly unit?: string | undefined
  readonly text: string
  /** Who answers. */
  readonly sender?: Sender | undefined
  readonly at: DateTime.Utc
}
