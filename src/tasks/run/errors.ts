/**
 * Why tasks, units, and with them their job, have failed.
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
    return `task ${this.task} (${this.title}) failed ${this.attempts === 1 ? "once" : `${this.attempts} times`}: ${this.reason}`
  }
}

/** A command beside the tasks, such as the setup of a worktree, did not pass. */
export class CommandFailed extends Schema.TaggedError<CommandFailed>()("CommandFailed", {
  purpose: Schema.String,
  command: Schema.String,
  reason: Schema.String,
  log: Schema.optional(Schema.String)
}) {
  override get message() {
    return `the ${this.purpose} (${this.command}) ${this.reason}${this.log === undefined ? "" : `; see ${this.log}`}`
  }
}

/** A unit and what was merged before it have both changed the same. */
export class MergeConflict extends Schema.TaggedError<MergeConflict>()("MergeConflict", {
  unit: Schema.String,
  files: Schema.Array(Schema.String)
}) {
  override get message() {
    return `what unit ${this.unit} has done conflicts with the units before it in ${this.files.join(", ")}`
  }
}

/** The job was to take no more than this. */
export class LimitReached extends Schema.TaggedError<LimitReached>()("LimitReached", {
  /** Such as `10 agent calls`. */
  limit: Schema.String
}) {
  override get message() {
    return `the limit of ${this.limit} in charlotte.yaml is reached`
  }
}

/** One unit that could not be done, or not be merged. */
export const UnitFailure = Schema.Struct({
  unit: Schema.String,
  task: Schema.optional(Schema.Int),
  reason: Schema.String,
  log: Schema.optional(Schema.String)
})

/** What a person needs to look at the work of a job that failed. */
const result = {
  /** The branch that holds the work. */
  branch: Schema.String,
  /** The command that shows it. */
  diff: Schema.String
}

/** The job ended with units undone; those that were done are on the result branch. */
export class TasksFailed extends Schema.TaggedError<TasksFailed>()("TasksFailed", {
  ...result,
  failures: Schema.Array(UnitFailure),
  /** Units that could not begin, since one that they depend on has failed. */
  blocked: Schema.Array(Schema.String)
}) {
  override get message() {
    const failures = this.failures.map(({ log, reason, unit }) => `unit ${unit}: ${reason}${log ? `; see ${log}` : ""}`)
    const blocked = this.blocked.length === 0 ? [] : [`blocked: ${this.blocked.join(", ")}`]
    return [...failures, ...blocked, `what was done is on ${this.branch}`].join("; ")
  }
}

/** Everything is done, and the target branch could not be advanced to it. */
export class LandingBlocked extends Schema.TaggedError<LandingBlocked>()("LandingBlocked", {
  ...result,
  target: Schema.String,
  reason: Schema.String,
  /** The command to go on with, once what is in the way is gone. */
  command: Schema.String,
  log: Schema.optional(Schema.String)
}) {
  override get message() {
    return `all is done, and ${this.target} could not be advanced to it: ${this.reason}; it is on ${this.branch}; go on with: ${this.command}`
  }
}
