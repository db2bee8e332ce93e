/** There are waiting jobs, which this process would start as well, and interrupt when it exits. */
import { Schema } from "effect"

export class DaemonNeeded extends Schema.TaggedError<DaemonNeeded>()("DaemonNeeded", {
  /** The newest of them. */
  jobId: Schema.String
}) {
  override get message() {
    return `other jobs wait to be started, such as ${this.jobId}, and only a daemon runs them to their end; start it with: charlotte daemon start`
  }
}
