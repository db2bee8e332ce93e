/**
 * The state to show for a unit or a task. Its record stays `running` until it is over, even while its job is parked, after an
 * interruption and after a stop, so the shown state follows from the status of the run.
 */
import type { RunStatus } from "../domain/RunStatus.js"
import type { TaskRecord, TaskState, UnitRecord, UnitState } from "../domain/Work.js"

/** `waiting`: its job is parked; `interrupted`: its job was cut short or has ended. */
export type Resting = "waiting" | "interrupted"

export type ShownUnitState = UnitState | Resting
export type ShownTaskState = TaskState | Resting

/** The state to show for running work of a job that is not running. */
const resting = (status: RunStatus): Resting => (status === "parked" ? "waiting" : "interrupted")

/** The shown state; a state other than running is returned unchanged. */
export const shownState = <State extends string>(state: State, status: RunStatus): State | Resting =>
  state === "running" && status !== "running" ? resting(status) : state

export interface ShownWork {
  readonly units: ReadonlyArray<Omit<UnitRecord, "state"> & { readonly state: ShownUnitState }>
  readonly tasks: ReadonlyArray<Omit<TaskRecord, "state"> & { readonly state: ShownTaskState }>
}

export const shownWork = ({ tasks, units }: ShownWork, status: RunStatus): ShownWork => ({
  units: units.map((unit) => ({ ...unit, state: shownState(unit.state, status) })),
  tasks: tasks.map((task) => ({ ...task, state: shownState(task.state, status) }))
})

/** The number of tasks in each state. */
export interface Counts {
  readonly running: number
  readonly waiting?: number
  readonly interrupted?: number
}

export const shownCounts = <C extends Counts>(counts: C, status: RunStatus): C & Counts => {
  const { running } = counts
  if (status === "running" || running === 0) return counts
  return resting(status) === "waiting"
    ? { ...counts, running: 0, waiting: running }
    : { ...counts, running: 0, interrupted: running }
}
