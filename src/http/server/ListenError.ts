/**
 * The one error of a server that is known before it serves anything; the others come with what answers.
 */
import { Schema } from "effect"

/** A server cannot listen there. */
export class ListenError extends Schema.TaggedError<ListenError>()("ListenError", {
  address: Schema.String,
  problem: Schema.String
}) {
  override get message() {
    return `cannot listen on ${this.address}: ${this.problem}`
  }
}
