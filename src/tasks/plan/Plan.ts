/**
 * What a job of tasks works through: units, and in each the tasks, both in an order in which they can be done. It is
 * plain data, so that it is kept as JSON with the job: what must pass is fixed when the job is submitted.
 *
 * @since 0.1.0
 */
import { Schema } from "effect"
import { ShellCommand, TaskNumber, TaskStatus, UnitName } from "../../yaml/fields.js"
import * as Graph from "./Graph.js"
import { Settings } from "./Settings.js"

/** @since 0.1.0 */
export class Task extends Schema.Class<Task>("charlotte/Task")({
  /** From 1; unique in its unit. */
  number: TaskNumber,
  title: Schema.String,
  status: TaskStatus,
  /** The shell command that must pass before the task counts as done. */
  backpressure: ShellCommand,
  /** Numbers of tasks in this unit, in rising order. */
  dependsOn: Schema.Array(TaskNumber),
  /** Relative to the repository. */
  file: Schema.String,
  /** The text below the frontmatter: what the agent is told. */
  prompt: Schema.String,
  /** The fenced `sh` blocks of the text: what the `script` agent runs, in this order. */
  scripts: Schema.Array(Schema.String),
  /** SHA-256 of the file, in hexadecimal. */
  sha256: Schema.String
}) {}

/** @since 0.1.0 */
export class Unit extends Schema.Class<Unit>("charlotte/Unit")({
  /** Its name, which can be part of a branch's name. */
  id: UnitName,
  /** Relative to the repository; `.` for the repository itself. */
  dir: Schema.String,
  /** Names of other units, in order. */
  dependsOn: Schema.Array(UnitName),
  /** The text of its `IMPLEMENTATION_PLAN.md` below the frontmatter. */
  planText: Schema.optional(Schema.String),
  /** In dependency order, ties by number. */
  tasks: Schema.Array(Task)
}) {
  /** The tasks that are still to be done. */
  get remaining(): ReadonlyArray<Task> {
    return this.tasks.filter((task) => task.status !== "complete")
  }
}

/** @since 0.1.0 */
export class Plan extends Schema.Class<Plan>("charlotte/Plan")({
  /** The directory that was read, relative to the repository; `.` for the repository itself. */
  dir: Schema.String,
  /** The files that were read, relative to the repository. */
  files: Schema.Array(Schema.String),
  /** In dependency order, ties by name. */
  units: Schema.Array(Unit),
  /** What `charlotte.yaml` says. */
  settings: Settings
}) {
  /** Groups of units: those of a group can run in parallel once all groups before it are done. */
  get waves(): ReadonlyArray<ReadonlyArray<Unit>> {
    const units = new Map(this.units.map((unit) => [unit.id, unit]))
    const waves = Graph.waves(this.units.map((unit) => [unit.id, unit.dependsOn]))
    return waves.map((ids) => ids.flatMap((id) => units.get(id) ?? []))
  }

  /** The units in which something is still to be done. */
  get remaining(): ReadonlyArray<Unit> {
    return this.units.filter((unit) => unit.remaining.length > 0)
  }
}
