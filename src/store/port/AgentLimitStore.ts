/**
 * The limits of agents, and their turns in a row without a verdict, shared by all jobs. They are recorded by the orchestrator of the
 * current attempt of a job; writes of any other attempt fail.
 *
 * @since 0.2.0
 */
import type { Effect, Option } from "effect"
import type { AgentLimit } from "../../domain/AgentLimit.js"
import type { StoreError, Superseded } from "../../domain/errors.js"
import type { JobId } from "../../domain/JobId.js"
import type { TurnStreak } from "../../domain/TurnStreak.js"

/**
 * The records of limits, at most one for each agent, and of streaks, at most one for each agent and task.
 *
 * @since 0.2.0
 * @category models
 */
export interface AgentLimitStore {
  /** The usage limit of an agent, even after it has reset, until it is cleared. */
  readonly get: (agent: string) => Effect.Effect<Option.Option<AgentLimit>, StoreError>

  /** Records the usage limit of an agent in place of the previous one. */
  readonly record: (reached: {
    readonly jobId: JobId
    readonly attempt: number
    readonly limit: AgentLimit
  }) => Effect.Effect<void, Superseded | StoreError>

  /** Removes the usage limit of an agent that works again. */
  readonly clear: (over: {
    readonly jobId: JobId
    readonly attempt: number
    readonly agent: string
  }) => Effect.Effect<void, Superseded | StoreError>

  /** The streaks of an agent in all jobs, by the time of their last turn. */
  readonly streaks: (agent: string) => Effect.Effect<ReadonlyArray<TurnStreak>, StoreError>

  /** Records a streak of the job in place of the previous one of the same agent and task. */
  readonly recordStreak: (ended: {
    readonly attempt: number
    readonly streak: TurnStreak
  }) => Effect.Effect<void, Superseded | StoreError>

  /**
   * Ends the streak of a task, since a turn of the agent at it was answered. With it end all `unreachable` streaks of the agent, and
   * the others are marked as `answeredSince`.
   */
  readonly answered: (turn: {
    readonly jobId: JobId
    readonly attempt: number
    readonly agent: string
    readonly unit: string
    readonly task: number
  }) => Effect.Effect<void, Superseded | StoreError>
}
