/**
 * What keeps a plan from being worked on: where, and what to do about it.
 *
 * @since 0.1.0
 */
import { Array, Order, Schema } from "effect"

/** @since 0.1.0 */
export class Diagnostic extends Schema.Class<Diagnostic>("charlotte/Diagnostic")({
  /** The file or directory, relative to the repository. */
  file: Schema.String,
  /** From 1; missing when it is not about the text of a file. */
  line: Schema.optional(Schema.Int),
  /** A sentence without its subject, which is the file: `has no backpressure …`. */
  message: Schema.String
}) {
  /** As compilers print it. */
  override toString(): string {
    return this.line === undefined ? `${this.file}: ${this.message}` : `${this.file}:${this.line}: ${this.message}`
  }
}

/** By file, then line, then message: the same in every run. */
const order: Order.Order<Diagnostic> = Order.combineAll([
  Order.mapInput(Order.string, (problem: Diagnostic) => problem.file),
  Order.mapInput(Order.number, (problem: Diagnostic) => problem.line ?? 0),
  Order.mapInput(Order.string, (problem: Diagnostic) => problem.message)
])

/** A message is read by people; whoever wants all of them has the list. */
const maxInMessage = 100

/**
 * All that is wrong with a plan, at once.
 *
 * @since 0.1.0
 */
export class InvalidPlan extends Schema.TaggedError<InvalidPlan>()("InvalidPlan", {
  problems: Schema.Array(Diagnostic)
}) {
  /** Puts the problems in order. */
  static of(problems: Iterable<Diagnostic>): InvalidPlan {
    return new InvalidPlan({ problems: Array.sort(problems, order) })
  }

  override get message() {
    const count = this.problems.length === 1 ? "1 problem" : `${this.problems.length} problems`
    const more = this.problems.length > maxInMessage ? [`and ${this.problems.length - maxInMessage} more`] : []
    return [`the plan has ${count}:`, ...this.problems.slice(0, maxInMessage).map(String), ...more].join("\n")
  }
}
