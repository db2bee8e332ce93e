/**
 * A separate file, so that the listener does not load the contract.
 */
import { Schema } from "effect"

/**
 * The server cannot listen on the address.
 *
 * @since 0.1.0
 * @category errors
 */
export class ListenError extends Schema.TaggedError<ListenError>()("ListenError", {
  address: Schema.String,
  problem: Schema.String
}) {
  override get message() {
    return `cannot listen on ${this.address}: ${this.problem}`
  }
}
