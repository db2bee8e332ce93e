/**
 * The progress of a job: the records of its units and tasks, stored beside the run.
 *
 * @since 0.1.0
 */
import { Schema } from "effect"
import { Cost } from "./Cost.js"

/**
 * - `skipped`: all of its tasks were complete when the job was submitted
 * - `blocked`: a unit that it depends on has failed, or is blocked itself; its finished tasks are kept
 *
 * @since 0.1.0
 * @category models
 */
export const UnitState = Schema.Literal("pending", "running", "merged", "failed", "blocked", "skipped")

/**
 * The state of a unit.
 *
 * @since 0.1.0
 * @category models
 */
export type UnitState = typeof UnitState.Type

/**
 * `skipped`: the task was complete when the job was submitted.
 *
 * @since 0.1.0
 * @category models
 */
export const TaskState = Schema.Literal("pending", "running", "completed", "failed", "skipped")

/**
 * The state of a task.
 *
 * @since 0.1.0
 * @category models
 */
export type TaskState = typeof TaskState.Type

/**
 * The record of a unit.
 *
 * @since 0.1.0
 * @category models
 */
export class UnitRecord extends Schema.Class<UnitRecord>("charlotte/UnitRecord")({
  unit: Schema.String,
  /** The position in the plan, from 0. */
  position: Schema.NonNegativeInt,
  dependsOn: Schema.Array(Schema.String),
  state: UnitState,
  /** The commit at which the unit's branch starts. */
  base: Schema.optional(Schema.String),
  /** The commit that merges the unit into the result; recorded before the result branch is moved to it. */
  commit: Schema.optional(Schema.String),
  /** The directory in which the unit is worked on; a retry adopts it with its unfinished work. */
  worktree: Schema.optional(Schema.String),
  /** Why the unit failed; until it is over, why it waits for a person. */
  reason: Schema.optional(Schema.String),
  startedAt: Schema.optional(Schema.DateTimeUtc),
  endedAt: Schema.optional(Schema.DateTimeUtc)
}) {}

/**
 * The session of the agent in which a task was last worked on, which the next turn can resume.
 *
 * @since 0.2.0
 * @category models
 */
export class TaskSession extends Schema.Class<TaskSession>("charlotte/TaskSession")({
  /** The name of the agent's profile. */
  agent: Schema.String,
  /** The directory in which the session began; agents find a session only from there. */
  directory: Schema.String,
  /** The attempt of its last turn; 0 if that was in another job. */
  attempt: Schema.NonNegativeInt,
  /** The output of its last turn. */
  log: Schema.String,
  /** How many answers of the task's questions the prompt of its last turn had, or the prompts before it. */
  answers: Schema.optional(Schema.NonNegativeInt),
  /** The id that the agent gave it; missing until a turn has ended that named one. */
  id: Schema.optional(Schema.String),
  /** What its turns have cost in all: some agents report only that of a session that is resumed. */
  total: Schema.optional(Cost)
}) {}

/**
 * A turn that has begun and whose cost is not counted yet. If it is cut off, its output shows the cost.
 *
 * @since 0.2.0
 * @category models
 */
export const OpenTurn = Schema.Struct({
  /** The name of the agent's profile. */
  agent: Schema.String,
  /** Its output. */
  log: Schema.String,
  /** The total of the session that it resumes. */
  total: Schema.optional(Cost)
}).annotations({ identifier: "charlotte/OpenTurn" })

/**
 * A turn that has begun and whose cost is not counted yet.
 *
 * @since 0.2.0
 * @category models
 */
export type OpenTurn = typeof OpenTurn.Type

const note = <Tag extends string, Fields extends Schema.Struct.Fields>(tag: Tag, fields: Fields) =>
  Schema.TaggedStruct(tag, fields).annotations({ identifier: `charlotte/GateNote.${tag}` })

const Files = Schema.Array(Schema.String)

/**
 * - `resolved`: the conflict of its unit with the units merged before it was resolved by the agent `by`
 * - `greenBefore`: it passed before any work
 * - `unknownBefore`: it did not end within its limit before any work
 * - `couldNotRunBefore`: it could not run before any work, such as a command that does not exist
 * - `flaky`: it gave two answers on the same files
 * - `checkChanged`: lines of files that it runs, and that existed before the task, were removed or changed
 * - `testsAdded`: files of tests were added
 * - `protected`: protected files were changed, and were put back before the gate ran
 * - `refsMoved`: the command `by` has made, moved or deleted refs of the user
 *
 * @since 0.2.0
 * @category models
 */
export const GateNote = Schema.Union(
  note("resolved", { files: Files, by: Schema.String }),
  note("greenBefore", {}),
  note("unknownBefore", { reason: Schema.String }),
  note("couldNotRunBefore", { reason: Schema.String }),
  /** The outputs of the two runs. */
  note("flaky", { logs: Files }),
  /** How many of the lines that existed before the task are gone. */
  note("checkChanged", { files: Schema.Array(Schema.Struct({ path: Schema.String, removed: Schema.NonNegativeInt })) }),
  note("testsAdded", { files: Files }),
  /** With the file that keeps the changes. */
  note("protected", { files: Files, patch: Schema.String }),
  note("refsMoved", { by: Schema.String, what: Schema.String, advice: Schema.String })
)

/**
 * A note on a gate, on a conflict, or on refs of the user.
 *
 * @since 0.2.0
 * @category models
 */
export type GateNote = typeof GateNote.Type

/**
 * A note on a task, for the user: a remark, or what is known about its gate or conflict.
 *
 * @since 0.2.0
 * @category models
 */
export const TaskNote = Schema.Union(Schema.String, GateNote)

/**
 * A note on a task.
 *
 * @since 0.2.0
 * @category models
 */
export type TaskNote = typeof TaskNote.Type

/**
 * A run of a gate that failed, and the files on which it did.
 *
 * @since 0.2.0
 * @category models
 */
export class GateFailure extends Schema.Class<GateFailure>("charlotte/GateFailure")({
  /** The id of a commit with these files; the same for the same files and commits. */
  files: Schema.String,
  /** The output of the run. */
  log: Schema.String
}) {}

/**
 * The record of a task, with its latest attempt.
 *
 * @since 0.1.0
 * @category models
 */
export class TaskRecord extends Schema.Class<TaskRecord>("charlotte/TaskRecord")({
  unit: Schema.String,
  task: Schema.Int.pipe(Schema.positive()),
  /** The position in the order in which the tasks of the unit run, from 0. */
  position: Schema.NonNegativeInt,
  title: Schema.String,
  state: TaskState,
  /** How many attempts have failed. */
  failures: Schema.NonNegativeInt,
  /** How often an agent was started for the task. */
  calls: Schema.NonNegativeInt,
  /** The commit of the task's work; recorded before the branch is moved to it. */
  commit: Schema.optional(Schema.String),
  /** Why the last attempt that failed did so; kept when a later one succeeds. */
  reason: Schema.optional(Schema.String),
  /** What the agent said last in that attempt. */
  said: Schema.optional(Schema.String),
  /** The log of the agent or gate that failed in that attempt. */
  log: Schema.optional(Schema.String),
  /** The session of its last turn, if its agent can resume sessions. */
  session: Schema.optional(TaskSession),
  /** What the turns at it have cost; missing if no agent has reported that. */
  cost: Schema.optional(Cost),
  /** The turn that is not counted in it yet. */
  turn: Schema.optional(OpenTurn),
  /** The files in conflict, if it is no task of the plan, but the turn at a conflict that its unit had when it was merged. */
  resolves: Schema.optional(Schema.Array(Schema.String)),
  /** The latest runs of its gate that failed, by which a gate is recognised that passes on the same files. */
  gateFailures: Schema.optional(Schema.Array(GateFailure)),
  /** For the user: what is known about the gate, and remarks, such as plan files that the agent changed and that were restored. */
  notes: Schema.Array(TaskNote),
  startedAt: Schema.optional(Schema.DateTimeUtc),
  endedAt: Schema.optional(Schema.DateTimeUtc)
}) {}

/**
 * The number of a job's tasks in each state.
 *
 * @since 0.1.0
 * @category models
 */
export class TaskCounts extends Schema.Class<TaskCounts>("charlotte/TaskCounts")({
  pending: Schema.NonNegativeInt,
  running: Schema.NonNegativeInt,
  completed: Schema.NonNegativeInt,
  failed: Schema.NonNegativeInt,
  skipped: Schema.NonNegativeInt
}) {}

/**
 * Units and tasks in the order of the plan.
 *
 * @since 0.1.0
 * @category models
 */
export class Work extends Schema.Class<Work>("charlotte/Work")({
  units: Schema.Array(UnitRecord),
  tasks: Schema.Array(TaskRecord)
}) {}

/**
 * The progress of a job without a plan.
 *
 * @since 0.1.0
 * @category constants
 */
export const nothing = new Work({ units: [], tasks: [] }, { disableValidation: true })
