/**
 * The model of a job: its units, tasks and attempts, and their times, folded from its events.
 */
import type { Cost } from "../domain/Cost.js"
import type { RunStatus } from "../domain/RunStatus.js"
import * as costs from "./cost.js"
import type { ShownTaskState, ShownUnitState } from "./shownState.js"
import type { LogRange } from "./payload.js"
import type { Note } from "./taskNotes.js"
import type { Waiting } from "./waiting.js"

/** An event as it arrives. */
export interface Event {
  readonly seq: number
  /** Milliseconds. */
  readonly at: number
  readonly type: string
  readonly unit?: string | undefined
  readonly task?: number | undefined
  readonly payload?: unknown
}

/**
 * How a span ended. `cut`: the attempt of the job ended before it, by a stop, a shutdown, a crash or a park.
 */
export type SpanState = "running" | "passed" | "failed" | "cut"

export type SpanKind = "setup" | "agent" | "gate" | "pause" | "waiting" | "verifying"

/** A period of a unit's or task's activity; without an end it continues. */
export interface Span {
  readonly kind: SpanKind
  readonly from: number
  to: number | undefined
  state: SpanState
  /** A command, the name of an agent, or the reason for waiting. */
  readonly label: string
  reason: string | undefined
  /** What the agent said last. */
  said: string | undefined
  log: LogRange | undefined
  isSlow: boolean
  /** The task whose gate runs before any work at it, for such a span of a unit. */
  readonly before: number | undefined
}

/** An attempt at a task. */
export interface Attempt {
  /** The orchestrator's count: an attempt that continues after an interruption counts once. */
  readonly number: number
  /** The attempt of the job. */
  readonly jobAttempt: number
  readonly from: number
  to: number | undefined
  state: SpanState
  reason: string | undefined
  readonly spans: Array<Span>
}

export interface Task {
  readonly unit: string
  readonly number: number
  title: string
  state: ShownTaskState
  reason: string | undefined
  commit: string | undefined
  /** What the turns at it have cost. */
  cost: Cost | undefined
  /** Notes on the gate first. */
  notes: ReadonlyArray<Note>
  readonly attempts: Array<Attempt>
  /** Pauses before a retry. */
  readonly pauses: Array<Span>
  /** When the last pause ends. */
  againAt: number | undefined
}

export interface Unit {
  readonly id: string
  dependsOn: ReadonlyArray<string>
  state: ShownUnitState
  reason: string | undefined
  /** The reason, while the unit waits for its agent, or for other units to be merged. */
  waiting: string | undefined
  /** How long it waits for its agent, if that is known. */
  waitsFor: Waiting | undefined
  from: number | undefined
  to: number | undefined
  /** What its agent asks, until a person has answered. */
  question: string | undefined
  readonly tasks: Map<number, Task>
  /** Spans of the unit as a whole: setup, waiting, verifying. */
  readonly spans: Array<Span>
}

export type PhaseKind = "queued" | "running" | "stopping" | "parked" | "interrupted" | "crashed"

/** A phase of the job as a whole. */
export interface Phase {
  readonly kind: PhaseKind
  readonly from: number
  to: number | undefined
  /** The attempt of the job. */
  readonly attempt: number
  readonly reason: string | undefined
}

/** A step that a job of one's own kind has recorded. */
export interface Step {
  readonly name: string
  /** The attempt of the job. */
  readonly attempt: number
  readonly at: number
  readonly millis: number
  readonly ok: boolean
}

export interface JobModel {
  status: RunStatus
  readonly units: Map<string, Unit>
  readonly phases: Array<Phase>
  /** By name, the newest last. */
  readonly steps: Map<string, Step>
  attempt: number
  /** The times of the first and of the newest event. */
  from: number | undefined
  to: number | undefined
  seq: number
  /** What a pending or parked job waits for. */
  waitsFor: Waiting | undefined
  /** Why the job as a whole waits, from `orch.waiting`. */
  waiting: string | undefined
  /** The branch that the job is landing on, or has landed on. */
  landing: string | undefined
  landed: string | undefined
  /** Increases with each change of the plan, so that the graph is laid out again. */
  planVersion: number
}

export const make = (): JobModel => ({
  status: "pending",
  units: new Map(),
  phases: [],
  steps: new Map(),
  attempt: 1,
  from: undefined,
  to: undefined,
  seq: 0,
  waitsFor: undefined,
  waiting: undefined,
  landing: undefined,
  landed: undefined,
  planVersion: 0
})

export const unit = (model: JobModel, id: string): Unit => {
  const known = model.units.get(id)
  if (known !== undefined) return known
  const added: Unit = {
    id,
    dependsOn: [],
    state: "pending",
    reason: undefined,
    waiting: undefined,
    waitsFor: undefined,
    question: undefined,
    from: undefined,
    to: undefined,
    tasks: new Map(),
    spans: []
  }
  model.units.set(id, added)
  model.planVersion += 1
  return added
}

export const task = (owner: Unit, number: number): Task => {
  const known = owner.tasks.get(number)
  if (known !== undefined) return known
  const added: Task = {
    unit: owner.id,
    number,
    title: "",
    state: "pending",
    reason: undefined,
    commit: undefined,
    cost: undefined,
    notes: [],
    attempts: [],
    pauses: [],
    againAt: undefined
  }
  owner.tasks.set(number, added)
  return added
}

export const findTask = (model: JobModel, unit: string | undefined, number: number | undefined): Task | undefined =>
  unit === undefined || number === undefined ? undefined : model.units.get(unit)?.tasks.get(number)

export const tasks = ({ units }: JobModel): ReadonlyArray<Task> =>
  [...units.values()].flatMap(({ tasks }) => [...tasks.values()])

export const countTasks = (model: JobModel): Readonly<Record<ShownTaskState, number>> => {
  const counts = { pending: 0, running: 0, waiting: 0, interrupted: 0, completed: 0, failed: 0, skipped: 0 }
  for (const { tasks } of model.units.values()) for (const { state } of tasks.values()) counts[state] += 1
  return counts
}

/** The state to show for a unit: one that waits for its agent, for other units, or for its next attempt is not at work. */
export const stateOf = ({ state, tasks, waiting }: Unit): ShownUnitState => {
  const isPausing = state === "running" && [...tasks.values()].some((task) => task.state === "waiting")
  return isPausing || waiting !== undefined ? "waiting" : state
}

/** How long a task was worked on, without what it has waited between its attempts; undefined before the first one. */
export const worked = ({ attempts }: Task, now: number): number | undefined =>
  attempts.length === 0 ? undefined : attempts.reduce((sum, { from, to = now }) => sum + to - from, 0)

/** When the first attempt of the job began, and for how long its attempts have been at work; undefined before it. */
export const timesOf = (
  { phases }: Pick<JobModel, "phases">,
  now: number
): { readonly from: number; readonly worked: number } | undefined => {
  const working = phases.filter(({ kind }) => kind === "running" || kind === "stopping")
  const [first] = working
  return first && { from: first.from, worked: working.reduce((sum, { from, to = now }) => sum + to - from, 0) }
}

/** What the turns of a unit have cost. */
export const costOf = ({ tasks }: Unit): Cost | undefined => costs.sum([...tasks.values()].map(({ cost }) => cost))

/** What the agent said last in an attempt. */
export const said = (attempt: Attempt | undefined): string | undefined =>
  attempt?.spans.findLast(({ said }) => said !== undefined)?.said
