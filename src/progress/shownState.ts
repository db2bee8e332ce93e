/**
 * The state to show for a unit or a task. Its record stays `running` until it is over, even while its job is parked, after an
 * interruption and after a stop, so the shown state follows from the status of the run.
 */
import type { RunStatus } from "../domain/RunStatus.js"
import type { TaskRecord, TaskState, UnitRecord, UnitState } from "../domain/Work.js"

/** `waiting`: its job is parked; `interrupted`: its job was cut short or has ended. */
export type Resting = "waiting" | "interrupted"

/** `needs-answer`: a question of its agent is open. */
export type ShownUnitState = UnitState | Resting | "needs-answer"
export type ShownTaskState = TaskState | Resting

/** The state to show for running work of a job that is not running. */
const resting = (status: RunStatus): Resting => (status === "parked" ? "waiting" : "interrupted")

/** The shown state; a state other than running is returned unchanged. */
export const shownState = <State extends string>(state: State, status: RunStatus): State | Resting =>
  state === "running" && status !== "running" ? resting(status) : state

/** Whether a question can be answered. */
const isAnswerable = (status: RunStatus): boolean =>
  status === "running" || status === "parked" || status === "interrupted" || status === "pending"

/** The state to show for a unit, of which a question may be open. */
export const shownUnit = (state: ShownUnitState, status: RunStatus, isAsked: boolean): ShownUnitState =>
  isAsked && isAnswerable(status) && (state === "running" || state === "pending")
    ? "needs-answer"
    : shownState(state, status)

/** The state to show for a task, of which a question may be open. */
export const shownTask = (state: ShownTaskState, status: RunStatus, isAsked: boolean): ShownTaskState =>
  isAsked && isAnswerable(status) && state === "running" ? "waiting" : shownState(state, status)

/** An open question has no answer. */
export interface Asked {
  readonly unit: string
  readonly task: number
  readonly answer?: string | undefined
}

export interface ShownWork {
  readonly units: ReadonlyArray<Omit<UnitRecord, "state"> & { readonly state: ShownUnitState }>
  readonly tasks: ReadonlyArray<Omit<TaskRecord, "state"> & { readonly state: ShownTaskState }>
}

export const shownWork = (
  { tasks, units }: ShownWork,
  status: RunStatus,
  questions: ReadonlyArray<Asked> = []
): ShownWork => {
  const open = questions.filter(({ answer }) => answer === undefined)
  const isAsked = (unit: string, task?: number) =>
    open.some((asked) => asked.unit === unit && (task === undefined || asked.task === task))
  return {
    units: units.map((unit) => ({ ...unit, state: shownUnit(unit.state, status, isAsked(unit.unit)) })),
    tasks: tasks.map((task) => ({ ...task, state: shownTask(task.state, status, isAsked(task.unit, task.task)) }))
  }
}

/** The number of tasks in each state. */
export interface Counts {
  readonly pending: number
  readonly running: number
  readonly waiting?: number
  readonly interrupted?: number
  readonly completed: number
  readonly failed: number
  readonly skipped: number
}

export const shownCounts = <C extends Counts>(counts: C, status: RunStatus): C & Counts => {
  const { running } = counts
  if (status === "running" || running === 0) return counts
  return resting(status) === "waiting"
    ? { ...counts, running: 0, waiting: running }
    : { ...counts, running: 0, interrupted: running }
}

/** How many of the tasks are done. */
export const taskProgress = <C extends Counts>(counts: C): C & { readonly done: number; readonly total: number } => {
  const { completed, failed, interrupted = 0, pending, running, skipped, waiting = 0 } = counts
  const done = completed + skipped
  return { ...counts, done, total: done + failed + interrupted + pending + running + waiting }
}

/** `needs-answer` in words; the other states are words. */
export const stateText = (state: string): string => (state === "needs-answer" ? "needs an answer" : state)
