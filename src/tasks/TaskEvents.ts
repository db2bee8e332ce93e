/**
 * The events of a job of tasks, each by its type with what its payload holds. They tell what happens, for whoever watches;
 * nothing is steered by them.
 *
 * @since 0.1.0
 */
import { Schema } from "effect"
import { KilledProcess } from "../domain/StopReport.js"

/**
 * A piece of a log file.
 *
 * @since 0.1.0
 */
export class Log extends Schema.Class<Log>("charlotte/Log")({
  /** An absolute path. */
  file: Schema.String,
  /** Offsets in bytes; `to` is exclusive. */
  from: Schema.NonNegativeInt,
  to: Schema.NonNegativeInt
}) {}

const PlannedTask = Schema.Struct({
  number: Schema.Int,
  title: Schema.String,
  status: Schema.String,
  dependsOn: Schema.Array(Schema.Int)
})

const PlannedUnit = Schema.Struct({
  id: Schema.String,
  dependsOn: Schema.Array(Schema.String),
  tasks: Schema.Array(PlannedTask)
})

const Nothing = Schema.Struct({})
const reason = Schema.String
const log = Schema.optional(Log)
const commit = Schema.String

/**
 * What the payload of an event holds. An event of a unit has a `unit`, one of a task a `unit` and a `task`.
 *
 * @since 0.1.0
 */
export const payloads = {
  /** The plan is read, and work begins; also at the beginning of each further attempt of the job. */
  "orch.started": Schema.Struct({
    target: Schema.String,
    /** The commit at which the work begins. */
    base: Schema.String,
    /** The branch of the result. */
    branch: Schema.String,
    agent: Schema.String,
    concurrency: Schema.Int,
    units: Schema.Array(PlannedUnit)
  }),

  /** Processes that did not end within the grace period were killed; at most 100 of them are named. */
  "orch.killed": Schema.Struct({
    purpose: Schema.String,
    processes: Schema.Array(KilledProcess),
    total: Schema.Int
  }),

  /** The repository was changed in a way that git could execute or follow; the job goes on when that is undone. */
  "orch.waiting": Schema.Struct({ reason }),

  /** A unit has a place among those that run; its worktree is made. */
  "unit.started": Nothing,
  /** The command that prepares its worktree runs. */
  "unit.setup.started": Schema.Struct({ command: Schema.String, attempt: Schema.Int }),
  "unit.setup.failed": Schema.Struct({ command: Schema.String, attempt: Schema.Int, reason, log }),
  /** All its tasks are complete; it waits for the units before it, and is merged. */
  "unit.completed": Nothing,
  /** The gates of its tasks and the baseline run on the merged result. */
  "unit.verifying": Schema.Struct({ command: Schema.String }),
  "unit.merged": Schema.Struct({ commit, fastForward: Schema.Boolean }),
  "unit.failed": Schema.Struct({ reason, task: Schema.optional(Schema.Int) }),
  "unit.blocked": Schema.Struct({ waitsFor: Schema.Array(Schema.String) }),

  "task.started": Schema.Struct({ title: Schema.String, attempt: Schema.Int }),
  "task.agent.started": Schema.Struct({ agent: Schema.String, log: Schema.String }),
  /** Without a reason it ended well. */
  "task.agent.ended": Schema.Struct({ reason: Schema.optional(reason), log: Log }),
  "task.gate.started": Schema.Struct({ command: Schema.String, log: Schema.String }),
  "task.gate.passed": Schema.Struct({ command: Schema.String, log: Log }),
  "task.gate.failed": Schema.Struct({ command: Schema.String, reason, log: Log }),
  "task.retry": Schema.Struct({ attempt: Schema.Int, reason, pause: Schema.DurationFromMillis, log }),
  /** Something that a person should know. */
  "task.noted": Schema.Struct({ note: Schema.String }),
  "task.committed": Schema.Struct({ commit }),
  "task.completed": Schema.Struct({ attempt: Schema.Int, commit }),
  "task.failed": Schema.Struct({ attempts: Schema.Int, reason, log }),

  /** The target has moved meanwhile, or this is the first try. */
  "orch.landing": Schema.Struct({ target: Schema.String, attempt: Schema.Int }),
  "orch.landed": Schema.Struct({ target: Schema.String, commit })
} as const

/** @since 0.1.0 */
export type Type = keyof typeof payloads

/**
 * As it is emitted, and stands in the log: JSON.
 *
 * @since 0.1.0
 */
export type Payload<T extends Type> = (typeof payloads)[T]["Encoded"]
