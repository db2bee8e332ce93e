/**
 * Turns of an agent at one task that ended, one after the other, in the same way and without a verdict on the work.
 *
 * @since 0.2.0
 */
import { Schema } from "effect"
import { JobId } from "./JobId.js"

/**
 * Turns in a row that use no attempt of their task.
 *
 * @since 0.2.0
 * @category models
 */
export class TurnStreak extends Schema.Class<TurnStreak>("charlotte/TurnStreak")({
  jobId: JobId,
  /** The name of the agent's profile. */
  agent: Schema.String,
  unit: Schema.String,
  task: Schema.Int.pipe(Schema.positive()),
  /**
   * - `unanswered`: the agent failed without an answer of its model
   * - `unreachable`: its service was not reached
   * - `brokenOff`: its service broke off after the model had answered
   */
  kind: Schema.Literal("unanswered", "unreachable", "brokenOff"),
  /** How many; 0 once a person has resumed the job. */
  turns: Schema.NonNegativeInt,
  /** A digest of the agent's message, to compare it with others. */
  wording: Schema.String,
  /** The agent's message. */
  reason: Schema.String,
  /** When the last of them ended. */
  at: Schema.DateTimeUtc,
  /** Whether another turn of the agent has been answered since. */
  answeredSince: Schema.Boolean
}) {}
