/** The home was deleted or moved while this process ran a job, which it has ended. */
import { Schema } from "effect"

export class HomeLost extends Schema.TaggedError<HomeLost>()("HomeLost", {
  directory: Schema.String,
  jobId: Schema.String
}) {
  override get message() {
    return `${this.directory} was deleted or moved while job ${this.jobId} was running, so it was interrupted; if you put the directory back, resume it with: charlotte resume ${this.jobId}`
  }
}
