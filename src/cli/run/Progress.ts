/**
 * The progress of a job, reduced from its events alone.
 */
import { DateTime, Option } from "effect"
import { type JobEvent, lifecycle } from "../../domain/JobEvent.js"
import type { RunStatus } from "../../domain/RunStatus.js"
import { type ShownTaskState, type ShownUnitState, shownState } from "../../progress/shownState.js"
import type { Log, Payload } from "../../tasks/events.js"
import type { Waiting } from "../list/waitingText.js"
import * as TaskEvent from "./TaskEvent.js"
import * as WaitingEvent from "./WaitingEvent.js"

export interface Task {
  readonly number: number
  readonly title: string
  readonly state: ShownTaskState
  /** The latest attempt, from 1; 0 before the first. */
  readonly attempt: number
}

/** The phase of a running unit. */
export type Phase = "starting" | "setup" | "agent" | "slow" | "limit" | "gate" | "pause" | "waits" | "verify"

/** What failed, and where its output is. */
export interface Failing {
  readonly what: string
  readonly reason: string
  readonly log: Log | undefined
  readonly at: number
}

export interface Unit {
  readonly id: string
  readonly state: ShownUnitState
  readonly phase: Phase
  /** The current or the last task. */
  readonly task: number | undefined
  /** In milliseconds: when the unit started, and when the shown task or phase did. */
  readonly startedAt: number
  readonly since: number
  readonly tasks: ReadonlyMap<number, Task>
  readonly failing: Failing | undefined
}

export interface Progress {
  readonly status: RunStatus
  /** What a pending or parked job waits for, and since when, in milliseconds. */
  readonly waiting: { readonly for: Waiting; readonly since: number } | undefined
  /** In milliseconds. */
  readonly startedAt: number | undefined
  readonly target: string | undefined
  /** Whether the target is being advanced to the result. */
  readonly landing: boolean
  /** In the order of the plan. */
  readonly units: ReadonlyMap<string, Unit>
}

export const initial: Progress = {
  status: "pending",
  waiting: undefined,
  startedAt: undefined,
  target: undefined,
  landing: false,
  units: new Map()
}

export interface Counts {
  readonly total: number
  readonly done: number
  readonly failed: number
  readonly skipped: number
}

/** Counts the tasks. */
export const counts = ({ units }: Progress): Counts => {
  const tasks = [...units.values()].flatMap(({ tasks }) => [...tasks.values()])
  const of = (wanted: ShownTaskState) => tasks.filter(({ state }) => state === wanted).length
  return { total: tasks.length, done: of("completed"), failed: of("failed"), skipped: of("skipped") }
}

/** The latest failure of a running unit that it has not recovered from. */
export const failing = ({ units }: Progress): { readonly unit: Unit; readonly failing: Failing } | undefined =>
  [...units.values()]
    .flatMap((unit) =>
      unit.failing === undefined || unit.state !== "running" ? [] : [{ unit, failing: unit.failing }]
    )
    .sort((a, b) => b.failing.at - a.failing.at)[0]

/** The status of a job after an event, if the event changes it. */
export const statusAfter = ({ type }: JobEvent): RunStatus | undefined =>
  Object.entries(lifecycle).find(([name]) => name === type)?.[1]

/** The state after an event; unknown events change nothing. */
export const reduce = (state: Progress, event: JobEvent): Progress => {
  const at = DateTime.toEpochMillis(event.at)
  const status = statusAfter(event)
  if (status !== undefined) {
    const waiting = Option.map(WaitingEvent.decode(event), (waiting) => ({ for: waiting, since: at }))
    const startedAt = event.type === "job.started" ? at : state.startedAt
    const units = new Map([...state.units].map(([id, unit]) => [id, ofStatus(unit, status)]))
    return { ...state, status, waiting: Option.getOrUndefined(waiting), startedAt, landing: false, units }
  }
  return Option.match(TaskEvent.decode(event), {
    onNone: () => state,
    onSome: (taskEvent) => {
      if (taskEvent.type === "orch.started") return withPlan(state, taskEvent.payload, at)
      if (taskEvent.type === "orch.landing" || taskEvent.type === "orch.landed") {
        return { ...state, landing: taskEvent.type === "orch.landing" }
      }
      const { task, unit: id } = event
      if (id === undefined) return state
      const before = state.units.get(id) ?? planned(id, [], at)
      const after = task === undefined ? ofUnit(before, taskEvent, at) : ofTask(before, task, taskEvent, at)
      return { ...state, units: new Map(state.units).set(id, after) }
    }
  })
}

/** A unit of a job whose status has changed. */
const ofStatus = (unit: Unit, status: RunStatus): Unit => ({
  ...unit,
  state: shownState(unit.state, status),
  tasks: new Map([...unit.tasks].map(([number, task]) => [number, { ...task, state: shownState(task.state, status) }]))
})

const over: ReadonlySet<ShownUnitState> = new Set(["merged", "failed", "blocked", "skipped"])

const planned = (id: string, tasks: Payload<"orch.started">["units"][number]["tasks"], at: number): Unit => ({
  id,
  state: tasks.length > 0 && tasks.every(({ status }) => status === "complete") ? "skipped" : "pending",
  phase: "starting",
  task: undefined,
  startedAt: at,
  since: at,
  tasks: new Map(
    tasks.map(({ number, status, title }) => [
      number,
      { number, title, state: status === "complete" ? "skipped" : "pending", attempt: 0 }
    ])
  ),
  failing: undefined
})

/** Keeps what an earlier attempt of the job has finished, and starts the rest over. */
const withPlan = (state: Progress, { target, units }: Payload<"orch.started">, at: number): Progress => ({
  ...state,
  target,
  units: new Map(
    units.map(({ id, tasks }) => {
      const fresh = planned(id, tasks, at)
      const known = state.units.get(id)
      if (known === undefined) return [id, fresh]
      const done = [...known.tasks].filter(([, { state }]) => state === "completed" || state === "failed")
      return [id, over.has(known.state) ? known : { ...fresh, tasks: new Map([...fresh.tasks, ...done]) }]
    })
  )
})

const ofUnit = (unit: Unit, taskEvent: TaskEvent.TaskEvent, at: number): Unit => {
  switch (taskEvent.type) {
    case "unit.started":
      return { ...unit, state: "running", phase: "starting", startedAt: at, since: at }
    case "unit.setup.started":
      return { ...unit, phase: "setup", since: at }
    case "unit.setup.failed":
      return { ...unit, failing: { what: "setup", reason: taskEvent.payload.reason, log: taskEvent.payload.log, at } }
    case "unit.waiting":
      return { ...unit, phase: "limit", since: at }
    case "unit.completed":
      return { ...unit, phase: "waits", task: undefined, since: at, failing: undefined }
    case "unit.verifying":
      return { ...unit, phase: "verify", task: undefined }
    case "unit.merged":
      return { ...unit, state: "merged" }
    case "unit.failed":
      return { ...unit, state: "failed" }
    case "unit.blocked":
      return { ...unit, state: "blocked" }
    default:
      return unit
  }
}

const ofTask = (unit: Unit, number: number, taskEvent: TaskEvent.TaskEvent, at: number): Unit => {
  const change = (change: Partial<Task>): ReadonlyMap<number, Task> => {
    const task = unit.tasks.get(number) ?? { number, title: "", state: "pending", attempt: 0 }
    return new Map(unit.tasks).set(number, { ...task, ...change })
  }
  switch (taskEvent.type) {
    case "task.started": {
      const tasks = change({ ...taskEvent.payload, state: "running" })
      return { ...unit, tasks, state: "running", task: number, phase: "starting", since: at }
    }
    case "task.agent.started":
      return { ...unit, phase: "agent" }
    case "task.agent.slow":
      return { ...unit, phase: "slow" }
    case "task.agent.ended": {
      const { log, reason } = taskEvent.payload
      return reason === undefined ? unit : { ...unit, failing: { what: "agent", reason, log, at } }
    }
    case "task.gate.started":
      return { ...unit, phase: "gate" }
    case "task.gate.passed":
      return { ...unit, failing: undefined }
    case "task.gate.failed":
      return { ...unit, failing: { what: "gate", reason: taskEvent.payload.reason, log: taskEvent.payload.log, at } }
    case "task.retry":
      return { ...unit, phase: "pause", since: at }
    case "task.completed":
      return { ...unit, tasks: change({ state: "completed" }), failing: undefined }
    case "task.failed":
      return { ...unit, tasks: change({ state: "failed" }) }
    default:
      return unit
  }
}
