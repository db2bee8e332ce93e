/**
 * The limit of an agent: until it resets, no job begins a turn of that agent.
 *
 * @since 0.2.0
 */
import { Schema } from "effect"

/**
 * A limit that an agent has reached.
 *
 * @since 0.2.0
 * @category models
 */
export class AgentLimit extends Schema.Class<AgentLimit>("charlotte/AgentLimit")({
  /** The name of the agent's profile. */
  agent: Schema.String,
  /** `funds`: nothing is left to spend, so that it may take a person to end it. */
  class: Schema.optionalWith(Schema.Literal("usageLimit", "funds"), { default: () => "usageLimit" }),
  /** The reason in the agent's words. */
  reason: Schema.String,
  /** No turn begins before this time. */
  until: Schema.DateTimeUtc,
  /** How often in a row the agent was refused without a reset time; 0 if it states one. */
  refusals: Schema.NonNegativeInt
}) {}
