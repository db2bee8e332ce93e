/** The command line is not one of ours. */
import { Schema } from "effect"

export class UsageError extends Schema.TaggedError<UsageError>()("UsageError", {
  /** What is wrong: a sentence without its end. */
  problem: Schema.String,
  /** The command that explains how it is done. */
  help: Schema.String
}) {
  override get message() {
    return `${this.problem}${this.problem.endsWith("?") ? " See" : "; see"}: ${this.help}`
  }
}
