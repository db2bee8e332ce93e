/**
 * A question with which an agent ended its turn, since it cannot go on without a person.
 *
 * @since 0.2.0
 */
import { Schema } from "effect"

/**
 * A question of an agent. A unit waits while its last question is open.
 *
 * @since 0.2.0
 * @category models
 */
export class Question extends Schema.Class<Question>("charlotte/Question")({
  unit: Schema.String,
  task: Schema.Int.pipe(Schema.positive()),
  /** Counts the questions of the task, from 1. */
  seq: Schema.Int.pipe(Schema.positive()),
  /** The name of the agent's profile. */
  agent: Schema.String,
  /** The session in which it was asked, if the agent has sessions. */
  session: Schema.optional(Schema.String),
  question: Schema.String,
  askedAt: Schema.DateTimeUtc,
  /** Missing while the question is open. */
  answer: Schema.optional(Schema.String),
  /** Who has answered; not verified. */
  by: Schema.optional(Schema.String),
  answeredAt: Schema.optional(Schema.DateTimeUtc)
}) {}
