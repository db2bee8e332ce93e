/**
 * What keeps an agent from working: until it resets, no job begins a turn of that agent.
 *
 * @since 0.2.0
 */
import { Schema } from "effect"

/**
 * - `usage`: the agent reports that its usage limit is reached
 * - `funds`: the agent reports that nothing is left to spend, so that it may take a person to end it
 * - `outage`: the service of the agent is not reached
 * - `unanswered`: turns at several units have ended without an answer of the model
 *
 * @since 0.2.0
 * @category models
 */
export const Kind = Schema.Literal("usage", "funds", "outage", "unanswered")

/**
 * A limit that an agent has reached.
 *
 * @since 0.2.0
 * @category models
 */
export class AgentLimit extends Schema.Class<AgentLimit>("charlotte/AgentLimit")({
  /** The name of the agent's profile. */
  agent: Schema.String,
  /** `usage` by default. */
  kind: Kind.pipe(
    Schema.propertySignature,
    Schema.withConstructorDefault(() => "usage" as const)
  ),
  /** The reason in the agent's words. */
  reason: Schema.String,
  /** When the agent reached it; kept while a probe shows that it is still at it. */
  since: Schema.DateTimeUtc,
  /** No turn begins before this time. */
  until: Schema.DateTimeUtc,
  /** How often in a row the agent was refused without a reset time; 0 if it states one. */
  refusals: Schema.NonNegativeInt
}) {}
