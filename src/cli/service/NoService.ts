/**
 * The daemon cannot be made a service, or be uninstalled as one; nothing was changed.
 */
import { Schema } from "effect"

export class NoService extends Schema.TaggedError<NoService>()("NoService", { problem: Schema.String }) {
  override get message() {
    return this.problem
  }
}
