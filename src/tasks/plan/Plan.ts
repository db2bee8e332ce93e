/**
 * The plan of a job: units and their tasks, both in topological order. It is stored as JSON with the job, so that the tasks and
 * their gates are fixed at submission.
 *
 * @since 0.1.0
 */
import { Schema } from "effect"
import { GateBefore, ShellCommand, TaskNumber, TaskStatus, UnitName } from "../../yaml/fields.js"
import { AgentChoice } from "./AgentChoice.js"
import * as Graph from "./Graph.js"
import { Protection } from "./Protection.js"
import { SessionMode, Settings } from "./Settings.js"

/**
 * A task of a unit.
 *
 * @since 0.1.0
 * @category models
 */
export class Task extends Schema.Class<Task>("charlotte/Task")({
  /** 1 or more; unique in its unit. */
  number: TaskNumber,
  title: Schema.String,
  status: TaskStatus,
  /** The shell command that must pass before the task counts as done. */
  backpressure: ShellCommand,
  /** What the gate has to say before any work; anything if undefined. */
  before: Schema.optional(GateBefore),
  /** Numbers of tasks in this unit, in ascending order. */
  dependsOn: Schema.Array(TaskNumber),
  /** Relative to the repository. */
  file: Schema.String,
  /** The agents that may work on it, in the order in which they are tried; none if nothing names one. */
  agents: Schema.optionalWith(Schema.Array(AgentChoice), { default: () => [] }),
  /** Whether its turns resume sessions; as in the settings if undefined. */
  session: Schema.optional(SessionMode),
  /** What is protected; as in the settings if undefined. */
  protect: Schema.optional(Protection),
  /** The text below the frontmatter, for the agent. */
  prompt: Schema.String,
  /** The fenced `sh` blocks of the text, which the `script` agent runs in this order. */
  scripts: Schema.Array(Schema.String),
  /** SHA-256 of the file, in hexadecimal. */
  sha256: Schema.String
}) {
  /** Whether the rejection of a result has added it: then it has no file, and its gate has passed before. */
  get isRejection(): boolean {
    return this.sha256 === ""
  }
}

/**
 * A unit: tasks that run one after another in one worktree.
 *
 * @since 0.1.0
 * @category models
 */
export class Unit extends Schema.Class<Unit>("charlotte/Unit")({
  /** Its name, which is also part of the name of its branch. */
  id: UnitName,
  /** Relative to the repository; `.` for the repository itself. */
  dir: Schema.String,
  /** Names of other units, sorted. */
  dependsOn: Schema.Array(UnitName),
  /** The text of its `IMPLEMENTATION_PLAN.md` below the frontmatter. */
  planText: Schema.optional(Schema.String),
  /** In topological order, ties by number. */
  tasks: Schema.Array(Task)
}) {
  /** The tasks that are not complete. */
  get remaining(): ReadonlyArray<Task> {
    return this.tasks.filter((task) => task.status !== "complete")
  }
}

/**
 * Units and tasks of a tasks directory.
 *
 * @since 0.1.0
 * @category models
 */
export class Plan extends Schema.Class<Plan>("charlotte/Plan")({
  /** The tasks directory, relative to the repository; `.` for the repository itself. */
  dir: Schema.String,
  /** The files that were read, relative to the repository. */
  files: Schema.Array(Schema.String),
  /** In topological order, by waves: the order in which they are merged. */
  units: Schema.Array(Unit),
  /** The settings of `charlotte.yaml`. */
  settings: Settings
}) {
  /** Groups of units, each of which depends only on units of earlier groups. */
  get waves(): ReadonlyArray<ReadonlyArray<Unit>> {
    const units = new Map(this.units.map((unit) => [unit.id, unit]))
    const waves = Graph.waves(this.units.map((unit) => [unit.id, unit.dependsOn]))
    return waves.map((ids) => ids.flatMap((id) => units.get(id) ?? []))
  }

  /** The units with tasks that are not complete. */
  get remaining(): ReadonlyArray<Unit> {
    return this.units.filter((unit) => unit.remaining.length > 0)
  }

  /** The tasks of all units that are not complete. */
  get remainingTasks(): ReadonlyArray<Task> {
    return this.units.flatMap((unit) => unit.remaining)
  }
}
