/**
 * How far a job has come with its units and tasks: what is recorded of them, beside the run.
 *
 * @since 0.1.0
 */
import { Schema } from "effect"

/**
 * - `skipped`: nothing was to be done when the job was submitted
 * - `blocked`: a unit that it depends on has failed
 *
 * @since 0.1.0
 */
export const UnitState = Schema.Literal("pending", "running", "merged", "failed", "blocked", "skipped")

/** @since 0.1.0 */
export type UnitState = typeof UnitState.Type

/**
 * `skipped`: complete when the job was submitted.
 *
 * @since 0.1.0
 */
export const TaskState = Schema.Literal("pending", "running", "completed", "failed", "skipped")

/** @since 0.1.0 */
export type TaskState = typeof TaskState.Type

/** @since 0.1.0 */
export class UnitRecord extends Schema.Class<UnitRecord>("charlotte/UnitRecord")({
  unit: Schema.String,
  /** From 0, in the order of the plan. */
  position: Schema.NonNegativeInt,
  dependsOn: Schema.Array(Schema.String),
  state: UnitState,
  /** The commit at which its branch began. */
  base: Schema.optional(Schema.String),
  /** The commit with which its work came, or is about to come, into the result. */
  commit: Schema.optional(Schema.String),
  /** Why it failed. */
  reason: Schema.optional(Schema.String),
  startedAt: Schema.optional(Schema.DateTimeUtc),
  endedAt: Schema.optional(Schema.DateTimeUtc)
}) {}

/** @since 0.1.0 */
export class TaskRecord extends Schema.Class<TaskRecord>("charlotte/TaskRecord")({
  unit: Schema.String,
  task: Schema.Int.pipe(Schema.positive()),
  /** From 0, in the order in which the tasks of the unit are done. */
  position: Schema.NonNegativeInt,
  title: Schema.String,
  state: TaskState,
  /** How many attempts at it have failed. */
  failures: Schema.NonNegativeInt,
  /** How often an agent was called for it. */
  calls: Schema.NonNegativeInt,
  /** The commit that holds its work, or is about to. */
  commit: Schema.optional(Schema.String),
  /** Why the last attempt failed. */
  reason: Schema.optional(Schema.String),
  /** The file with what the agent or the gate printed then. */
  log: Schema.optional(Schema.String),
  /** What else a person should know, such as files of the plan that the agent had changed. */
  notes: Schema.Array(Schema.String),
  startedAt: Schema.optional(Schema.DateTimeUtc),
  endedAt: Schema.optional(Schema.DateTimeUtc)
}) {}

/**
 * How many tasks of a job are in each state.
 *
 * @since 0.1.0
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
 */
export class Work extends Schema.Class<Work>("charlotte/Work")({
  units: Schema.Array(UnitRecord),
  tasks: Schema.Array(TaskRecord)
}) {}

/**
 * Where nothing was planned.
 *
 * @since 0.1.0
 */
export const nothing = new Work({ units: [], tasks: [] }, { disableValidation: true })
