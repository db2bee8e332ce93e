/**
 * The usage limits of agents, shared by all jobs. They are recorded by the orchestrator of the current attempt of a job; writes of
 * any other attempt fail.
 *
 * @since 0.2.0
 */
import type { Effect, Option } from "effect"
import type { AgentLimit } from "../../domain/AgentLimit.js"
import type { StoreError, Superseded } from "../../domain/errors.js"
import type { JobId } from "../../domain/JobId.js"

/**
 * The records of usage limits, at most one for each agent.
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
}
