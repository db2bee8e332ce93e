/**
 * The errors of tasks, units and jobs.
 */
import { Schema } from "effect"
import { ObjectId } from "../../git/RefNames.js"

/** A task failed all of its attempts. */
export class TaskFailure extends Schema.TaggedError<TaskFailure>()("TaskFailure", {
  unit: Schema.String,
  task: Schema.Int,
  title: Schema.String,
  attempts: Schema.Int,
  /** Why the last attempt failed. */
  reason: Schema.String,
  /** The log of the agent or gate that failed in that attempt. */
  log: Schema.optional(Schema.String)
}) {
  override get message() {
    const times = this.attempts === 0 ? "before any work" : this.attempts === 1 ? "once" : `${this.attempts} times`
    return `task ${this.task} (${this.title}) failed ${times}: ${this.reason}`
  }
}

/** A setup, baseline or copy, or a gate on the merged result, failed. */
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

/** A unit conflicts with the units that were merged before it. */
export class MergeConflict extends Schema.TaggedError<MergeConflict>()("MergeConflict", {
  unit: Schema.String,
  files: Schema.Array(Schema.String),
  /** A commit with the marked files, and the parents of the merge, if the conflict can be resolved there. */
  unresolved: Schema.optional(Schema.Struct({ commit: ObjectId, parents: Schema.Array(ObjectId) }))
}) {
  override get message() {
    return `unit ${this.unit} conflicts with the units merged before it in ${this.files.join(", ")}`
  }
}

/** The work of the units that a unit depends on conflicts, or fails its gates together. */
export class TipsUnmergeable extends Schema.TaggedError<TipsUnmergeable>()("TipsUnmergeable", {
  message: Schema.String
}) {}

/** A unit that the unit depends on is in no result. */
export class UnitBlocked extends Schema.TaggedError<UnitBlocked>()("UnitBlocked", {
  by: Schema.Array(Schema.String)
}) {}

/** A limit of the job was reached. */
export class LimitReached extends Schema.TaggedError<LimitReached>()("LimitReached", {
  /** The limit, such as `10 agent calls`. */
  limit: Schema.String
}) {
  override get message() {
    return `the limit of ${this.limit} in charlotte.yaml was reached`
  }
}

/** A unit that failed, or could not be merged. */
export const UnitFailure = Schema.Struct({
  unit: Schema.String,
  task: Schema.optional(Schema.Int),
  reason: Schema.String,
  log: Schema.optional(Schema.String)
})

/** Units that were not part of a retry, and the jobs that have their work. */
export const LeftOut = Schema.Array(Schema.Struct({ unit: Schema.String, job: Schema.String }))

/** Where to find the work of a failed job. */
const result = {
  /** The branch with the work. */
  branch: Schema.String,
  /** The command that shows the work. */
  diff: Schema.String,
  leftOut: Schema.optional(LeftOut)
}

/** Some units failed; the completed ones are on the result branch, and on the target if what is done lands. */
export class TasksFailed extends Schema.TaggedError<TasksFailed>()("TasksFailed", {
  ...result,
  failures: Schema.Array(UnitFailure),
  /** Units that did not run, since a dependency failed. */
  blocked: Schema.Array(Schema.String),
  target: Schema.optional(Schema.String),
  /** The units that have landed, the commit to which the target was advanced, and the units that have not landed. */
  landed: Schema.optional(Schema.Array(Schema.String)),
  landedAt: Schema.optional(Schema.String),
  left: Schema.optional(Schema.Array(Schema.Struct({ unit: Schema.String, reason: Schema.String }))),
  /** Why the units that are done could not land. */
  notLanded: Schema.optional(
    Schema.Struct({ reason: Schema.String, command: Schema.String, log: Schema.optional(Schema.String) })
  )
}) {
  override get message() {
    const failures = this.failures.map(({ log, reason, unit }) => `unit ${unit}: ${reason}${log ? `; see ${log}` : ""}`)
    const blocked = this.blocked.length === 0 ? [] : [`blocked: ${this.blocked.join(", ")}`]
    const landed =
      this.landed === undefined
        ? `the merged units are on ${this.branch}`
        : `landed on ${this.target}: ${this.landed.join(", ")}`
    const obstacle =
      this.notLanded === undefined ? [] : [`${this.target} could not be advanced to them: ${this.notLanded.reason}`]
    return [...failures, ...blocked, landed, ...obstacle].join("; ")
  }
}

/** A person has rejected the result; its work is kept. */
export class ResultRejected extends Schema.TaggedError<ResultRejected>()("ResultRejected", {
  ...result,
  target: Schema.String,
  /** What the person said. */
  reason: Schema.String,
  /** The command that merges the result all the same. */
  command: Schema.String
}) {
  override get message() {
    return `the result was rejected: ${this.reason}; it is on ${this.branch}, and goes to ${this.target} all the same with: ${this.command}`
  }
}

/** The target has changed files that the result changes, too, since a person looked at it. */
export class TargetChanged extends Schema.TaggedError<TargetChanged>()("TargetChanged", {
  target: Schema.String
}) {}

/** All units were merged, but the target branch could not be advanced to the result. */
export class LandingBlocked extends Schema.TaggedError<LandingBlocked>()("LandingBlocked", {
  ...result,
  target: Schema.String,
  reason: Schema.String,
  /** The command that continues, once the cause is resolved. */
  command: Schema.String,
  log: Schema.optional(Schema.String)
}) {
  override get message() {
    return `all tasks are done, but ${this.target} could not be advanced to the result: ${this.reason}; the result is on ${this.branch}; continue with: ${this.command}`
  }
}
