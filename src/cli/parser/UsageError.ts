/** A command line that cannot be understood. */
import { Schema } from "effect"

export class UsageError extends Schema.TaggedError<UsageError>()("UsageError", {
  /** The problem: a sentence without its full stop. */
  problem: Schema.String,
  /** What to do about it. */
  hint: Schema.String
}) {
  override get message() {
    return `${this.problem}; ${this.hint}`
  }
}
