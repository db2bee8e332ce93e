/**
 * Which unit, task, attempt and log are shown: chosen by the address, or else by what matters most now.
 */
import type { JobModel, Span, Attempt, Task, Unit } from "../../progress/JobModel.js"

/** `before`: of the gate, before any work. */
export type LogName = "agent" | "gate" | "setup" | "before"

export interface Chosen {
  readonly unit?: string | undefined
  readonly task?: number | undefined
  /** From 1, in the order of their start. */
  readonly attempt?: number | undefined
  readonly log?: LogName | undefined
}

export interface Selection {
  readonly unit: Unit
  readonly task: Task | undefined
  /** From 1; 0 without an attempt. */
  readonly attemptNumber: number
  readonly attempt: Attempt | undefined
  /** The spans that have a log, in order. */
  readonly logs: ReadonlyArray<Span>
  readonly span: Span | undefined
  /** Whether the address leaves the selection open, so that the page follows the work. */
  readonly isAutomatic: boolean
}

const logNames = ["agent", "gate", "setup", "before"] as const

/** The name of the log of a span, if it has one. */
export const logNameOf = ({ before, kind }: Span): LogName | undefined =>
  before === undefined ? logNames.find((name) => name === kind) : "before"

export const parse = (query: URLSearchParams): Chosen => {
  const number = (name: string): number | undefined => {
    const text = query.get(name) ?? ""
    return /^\d{1,9}$/.test(text) ? Number(text) : undefined
  }
  const log = logNames.find((name) => name === query.get("log"))
  return { unit: query.get("unit") ?? undefined, task: number("task"), attempt: number("attempt"), log }
}

/** Ranks failed tasks first, then running tasks, then the latest ended. */
const weight = ({ attempts, state }: Task): number => {
  const last = attempts.at(-1)
  if (state === "failed") return Infinity
  if (last === undefined) return state === "pending" || state === "skipped" ? -1 : 0
  return last.to === undefined ? 1e15 - last.from : last.to / 10
}

const pick = (tasks: Iterable<Task>): Task | undefined => {
  let best: Task | undefined
  for (const task of tasks) if (best === undefined || weight(task) > weight(best)) best = task
  return best
}

const allTasks = function* (model: JobModel): Generator<Task> {
  for (const unit of model.units.values()) yield* unit.tasks.values()
}

/** A unit that failed although none of its tasks did, for example in its setup. */
const failedUnit = (model: JobModel): Unit | undefined => {
  for (const unit of model.units.values()) {
    const hasTask = [...unit.tasks.values()].some(({ state }) => state === "failed")
    if (unit.state === "failed" && !hasTask) return unit
  }
  return undefined
}

const automatic = (model: JobModel): { readonly unit: Unit; readonly task: Task | undefined } | undefined => {
  const task = pick(allTasks(model))
  const broken = failedUnit(model)
  if (broken !== undefined && task?.state !== "failed") return { unit: broken, task: pick(broken.tasks.values()) }
  const unit = task === undefined ? model.units.values().next().value : model.units.get(task.unit)
  return unit === undefined ? undefined : { unit, task }
}

export const select = (model: JobModel, chosen: Chosen): Selection | undefined => {
  const named = chosen.unit === undefined ? undefined : model.units.get(chosen.unit)
  const found =
    named === undefined
      ? automatic(model)
      : {
          unit: named,
          task: (chosen.task === undefined ? undefined : named.tasks.get(chosen.task)) ?? pick(named.tasks.values())
        }
  if (found === undefined) return undefined
  const { task, unit } = found
  const attempts = task?.attempts ?? []
  const wanted = named === undefined ? undefined : chosen.attempt
  const attemptNumber = wanted === undefined || wanted < 1 ? attempts.length : Math.min(wanted, attempts.length)
  const attempt = attempts[attemptNumber - 1]
  // Each attempt of the job may have run the gate before any work.
  const before = unit.spans.findLast((span) => span.before !== undefined && span.before === task?.number)
  const logs = [...unit.spans, ...(attempt?.spans ?? [])].filter(
    (span) => span.log !== undefined && (span.before === undefined || span === before)
  )
  const span =
    logs.findLast((span) => logNameOf(span) === chosen.log) ?? attempt?.spans.findLast(({ log }) => log !== undefined)
  return { unit, task, attemptNumber, attempt, logs, span: span ?? logs.at(-1), isAutomatic: named === undefined }
}
