/**
 * The usage limit of an agent: until it resets, no job begins a turn of that agent.
 *
 * @since 0.2.0
 */
import { Schema } from "effect"

/**
 * A usage limit that an agent has reached.
 *
 * @since 0.2.0
 * @category models
 */
export class AgentLimit extends Schema.Class<AgentLimit>("charlotte/AgentLimit")({
  /** The name of the agent's profile. */
  agent: Schema.String,
  /** In the words of the agent. */
  reason: Schema.String,
  /** No turn begins before this time. */
  until: Schema.DateTimeUtc,
  /** How often in a row the agent was refused without saying when its limit resets; 0 if it does say so. */
  refusals: Schema.NonNegativeInt
}) {}
