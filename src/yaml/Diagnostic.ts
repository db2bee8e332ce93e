/**
 * A problem in a plan or configuration file: where it is, and how to fix it.
 *
 * @since 0.1.0
 */
import { Array, Order, Schema } from "effect"

/** @since 0.1.0 */
export class Diagnostic extends Schema.Class<Diagnostic>("charlotte/Diagnostic")({
  /** The file or directory, relative to the repository. */
  file: Schema.String,
  /** From 1; missing if the problem is not in the text of a file. */
  line: Schema.optional(Schema.Int),
  /** A predicate whose subject is the file: `has no backpressure …`. */
  message: Schema.String
}) {
  /** `file:line: message`, the format of compilers. */
  override toString(): string {
    return this.line === undefined ? `${this.file}: ${this.message}` : `${this.file}:${this.line}: ${this.message}`
  }
}

/**
 * Orders by file, then line, then message, so that the order is deterministic.
 *
 * @since 0.2.0
 */
export const order: Order.Order<Diagnostic> = Order.combineAll([
  Order.mapInput(Order.string, (problem: Diagnostic) => problem.file),
  Order.mapInput(Order.number, (problem: Diagnostic) => problem.line ?? 0),
  Order.mapInput(Order.string, (problem: Diagnostic) => problem.message)
])

/** Keeps the message readable; `problems` has all of them. */
const maxInMessage = 100

/**
 * All problems of a plan.
 *
 * @since 0.1.0
 */
export class InvalidPlan extends Schema.TaggedError<InvalidPlan>()("InvalidPlan", {
  problems: Schema.Array(Diagnostic)
}) {
  /** Sorts the problems. */
  static of(problems: Iterable<Diagnostic>): InvalidPlan {
    return new InvalidPlan({ problems: Array.sort(problems, order) })
  }

  override get message() {
    const count = this.problems.length === 1 ? "1 problem" : `${this.problems.length} problems`
    const more = this.problems.length > maxInMessage ? [`and ${this.problems.length - maxInMessage} more`] : []
    return [`the plan has ${count}:`, ...this.problems.slice(0, maxInMessage).map(String), ...more].join("\n")
  }
}
