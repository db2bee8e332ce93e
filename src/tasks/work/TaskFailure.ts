/**
 * Why tasks, and with them their job, have failed.
 */
import { Schema } from "effect"

/** One task that could not be done. */
export class TaskFailure extends Schema.TaggedError<TaskFailure>()("TaskFailure", {
  unit: Schema.String,
  task: Schema.Int,
  title: Schema.String,
  /** How often it was tried. */
  attempts: Schema.Int,
  /** What was wrong the last time. */
  reason: Schema.String,
  /** The file with what the agent or the gate printed then. */
  log: Schema.optional(Schema.String)
}) {
  override get message() {
    const log = this.log === undefined ? "" : `; see ${this.log}`
    return `task ${this.task} of unit ${this.unit} (${this.title}) failed ${this.attempts} times: ${this.reason}${log}`
  }
}

/** The job ended with tasks undone; what was done is on the result branch. */
export class TasksFailed extends Schema.TaggedError<TasksFailed>()("TasksFailed", {
  failures: Schema.Array(TaskFailure),
  /** Units that could not begin, since one that they depend on has failed. */
  blocked: Schema.Array(Schema.String),
  branch: Schema.String
}) {
  override get message() {
    const blocked = this.blocked.length === 0 ? "" : `; blocked: ${this.blocked.join(", ")}`
    return `${this.failures.map(({ message }) => message).join("; ")}${blocked}; what was done is on ${this.branch}`
  }
}

/** A command beside the tasks, such as the setup of a worktree, did not pass. */
export class CommandFailed extends Schema.TaggedError<CommandFailed>()("CommandFailed", {
  purpose: Schema.String,
  command: Schema.String,
  reason: Schema.String,
  log: Schema.String
}) {
  override get message() {
    return `${this.purpose} (${this.command}) ${this.reason}; see ${this.log}`
  }
}
