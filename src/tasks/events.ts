/**
 * The events of a task job, with the schema of each payload. They are for observers only; the orchestrator never reads them.
 *
 * @since 0.1.0
 */
import { Schema } from "effect"
import { Cost } from "../domain/Cost.js"
import { Sender } from "../domain/Sender.js"
import { KilledProcess } from "../domain/StopReport.js"
import { TaskNote } from "../domain/Work.js"

/**
 * A range of a log file.
 *
 * @since 0.1.0
 * @category models
 */
export class Log extends Schema.Class<Log>("charlotte/Log")({
  /** An absolute path. */
  file: Schema.String,
  /** Offsets in bytes; `to` is exclusive. */
  from: Schema.NonNegativeInt,
  to: Schema.NonNegativeInt
}) {}

/**
 * How the turn of an agent ended.
 *
 * - `done`: it exited with 0, and the gate decides
 * - `failed`: for no known reason
 * - `usageLimit`: the agent may not work until its limit resets
 * - `funds`: nothing is left to spend: credits, or a limit on what they cost
 * - `auth`: the agent is not logged in, or its key is refused
 * - `account`: the account may not use the agent, or its model
 * - `budget`: it has spent what its own command lets it spend in a turn
 * - `network`: the service of the agent is unreachable or overloaded
 * - `unanswered`: it failed by itself within 5 minutes, without an answer of its model
 * - `stalled`: ended at the limit without output
 * - `timedOut`: ended at the time limit
 * - `gone`: killed by a signal from outside
 *
 * @since 0.2.0
 * @category models
 */
export const TurnClass = Schema.Literal(
  "done",
  "failed",
  "usageLimit",
  "funds",
  "auth",
  "account",
  "budget",
  "network",
  "unanswered",
  "stalled",
  "timedOut",
  "gone"
)

/**
 * The class of a turn.
 *
 * @since 0.2.0
 * @category models
 */
export type TurnClass = typeof TurnClass.Type

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
 * The payload of each event type. Unit events have a `unit`; task events have a `unit` and a `task`.
 *
 * @since 0.1.0
 * @category constants
 */
export const payloads = {
  /** Work starts; emitted once per attempt of the job. */
  "orch.started": Schema.Struct({
    target: Schema.String,
    /** The commit at which the work starts. */
    base: Schema.String,
    /** The branch of the result. */
    branch: Schema.String,
    /** The names of the agents. */
    agent: Schema.String,
    concurrency: Schema.Int,
    units: Schema.Array(PlannedUnit),
    /** Units of the plan that are not part of this retry. */
    leftOut: Schema.optional(Schema.Array(Schema.String))
  }),

  /** Processes that did not exit within the grace period were killed; at most 100 of them are listed. */
  "orch.killed": Schema.Struct({
    purpose: Schema.String,
    processes: Schema.Array(KilledProcess),
    total: Schema.Int
  }),

  /** The baseline has passed on the commit at which the work starts, before the first turn of an agent. */
  "orch.baseline": Schema.Struct({ commit, took: Schema.DurationFromMillis }),

  /** Git settings of the repository that could execute commands were changed, or nothing can be written; the job waits. */
  "orch.waiting": Schema.Struct({ reason }),

  /** The unit has a concurrency permit; its worktree is created next. */
  "unit.started": Nothing,
  /** The setup command runs in its worktree. */
  "unit.setup.started": Schema.Struct({ command: Schema.String, attempt: Schema.Int }),
  "unit.setup.failed": Schema.Struct({ command: Schema.String, attempt: Schema.Int, reason, log }),
  /**
   * The unit waits for its agents, which reached a limit, get no answer or need a person, until that time or until the job is resumed;
   * or it waits for a turn, since as many turns of the agent run as its profile allows; or it waits for other units to be merged.
   */
  "unit.waiting": Schema.Struct({
    reason,
    until: Schema.optional(Schema.DateTimeUtc),
    /** Whether the agent is only tried again at that time. */
    tentative: Schema.optional(Schema.Boolean),
    /** The units that have to be merged before. */
    waitsFor: Schema.optional(Schema.Array(Schema.String))
  }),
  /** The agent cannot go on without a person, and asks; the unit waits for the answer. */
  "unit.asked": Schema.Struct({ task: Schema.Int, question: Schema.String }),
  /** A person has answered; `by` is not verified. */
  "unit.answered": Schema.Struct({ task: Schema.Int, answer: Schema.String, ...Sender.fields }),
  /** All tasks of the unit are complete; it is merged after the units before it. */
  "unit.completed": Nothing,
  /** A gate or baseline command runs on the merged result. */
  "unit.verifying": Schema.Struct({ command: Schema.String }),
  "unit.merged": Schema.Struct({ commit, fastForward: Schema.Boolean }),
  "unit.failed": Schema.Struct({ reason, task: Schema.optional(Schema.Int) }),
  /** A unit that it depends on failed or is blocked; its own finished tasks are kept. */
  "unit.blocked": Schema.Struct({ waitsFor: Schema.Array(Schema.String) }),

  "task.started": Schema.Struct({ title: Schema.String, attempt: Schema.Int }),
  "task.agent.started": Schema.Struct({ agent: Schema.String, log: Schema.String }),
  /** The agent has used up 80 % of its time limit, or of its limit without output. */
  "task.agent.slow": Schema.Struct({ reason }),
  /** Without a reason, the agent succeeded. Since 0.2.0 with the class of the turn, and with what the agent said last. */
  "task.agent.ended": Schema.Struct({
    class: Schema.optional(TurnClass),
    reason: Schema.optional(reason),
    said: Schema.optional(Schema.String),
    log: Log
  }),
  /** What a turn of an agent has cost, also if it was cut off, and what all turns at the task have cost so far. */
  "task.spent": Schema.Struct({ agent: Schema.String, cost: Cost, total: Cost }),
  /** The gate runs once before any work at the task; what is remarkable about that is noted. */
  "task.gate.before": Schema.Struct({ command: Schema.String, log: Schema.String }),
  "task.gate.started": Schema.Struct({ command: Schema.String, log: Schema.String }),
  "task.gate.passed": Schema.Struct({ command: Schema.String, log: Log }),
  "task.gate.failed": Schema.Struct({ command: Schema.String, reason, log: Log }),
  /** With a class, the turn was no verdict on the work, and the same attempt continues. */
  "task.retry": Schema.Struct({
    class: Schema.optional(TurnClass),
    attempt: Schema.Int,
    reason,
    pause: Schema.DurationFromMillis,
    log
  }),
  /** A remark for the user, or what is known about the gate. */
  "task.noted": Schema.Struct({ note: TaskNote }),
  "task.committed": Schema.Struct({ commit }),
  "task.completed": Schema.Struct({ attempt: Schema.Int, commit }),
  "task.failed": Schema.Struct({ attempts: Schema.Int, reason, log }),

  /** The first attempt to land, or another one because the target has moved. */
  "orch.landing": Schema.Struct({ target: Schema.String, attempt: Schema.Int }),
  /** The result was pushed, and proposed as a pull request; if none is open, the URL is of the page on which to open one. */
  "orch.proposed": Schema.Struct({
    target: Schema.String,
    branch: Schema.String,
    remote: Schema.String,
    isOpen: Schema.Boolean,
    url: Schema.optional(Schema.String),
    problem: Schema.optional(Schema.String)
  }),
  /** If some units are left, with the names of the units that have landed, and of the others. */
  "orch.landed": Schema.Struct({
    target: Schema.String,
    commit,
    units: Schema.optional(Schema.Array(Schema.String)),
    left: Schema.optional(Schema.Array(Schema.String))
  })
} as const

/**
 * The type of an event of a task job.
 *
 * @since 0.1.0
 * @category models
 */
export type Type = keyof typeof payloads

/**
 * The JSON form of a payload, as it is emitted and recorded.
 *
 * @since 0.1.0
 * @category models
 */
export type Payload<T extends Type> = (typeof payloads)[T]["Encoded"]
