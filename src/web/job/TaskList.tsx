/**
 * All tasks of a job by unit: the state of each, and what it waits for or why it failed.
 */
import { now } from "../app/live.js"
import { type JobModel, stateOf, type Task, type Unit } from "../../progress/JobModel.js"
import { stateText } from "../../progress/shownState.js"
import { visible } from "../ui/visible.js"
import { VirtualRows } from "../ui/VirtualRows.js"
import { StateMark } from "./State.js"
import { TaskButton } from "./TaskButton.js"

/** What a unit waits for, or why it failed, unless a task says so. */
const remarkOf = ({ question, reason, tasks, waiting }: Unit): string | undefined =>
  question ?? waiting ?? ([...tasks.values()].some(({ state }) => state === "failed") ? undefined : reason)

const reasonOf = ({ reason, state }: Task): string | undefined =>
  state === "completed" || state === "skipped" ? undefined : reason

export interface Props {
  readonly model: JobModel
  readonly selected: { readonly unit: string; readonly task: number | undefined } | undefined
  readonly onSelect: (unit: string, task?: number) => void
}

export const TaskList = ({ model, onSelect, selected }: Props) => {
  const rows = [...model.units.values()].flatMap((unit): ReadonlyArray<{ unit: Unit; task?: Task }> => [
    { unit },
    ...[...unit.tasks.values()].map((task) => ({ unit, task }))
  ])
  const row = (at: number) => {
    const { task, unit } = rows[at] ?? {}
    if (unit === undefined) return null
    if (task !== undefined)
      return (
        <TaskButton
          key={`${unit.id} ${task.number}`}
          task={task}
          at={now.value}
          isSelected={selected?.unit === unit.id && selected.task === task.number}
          remark={reasonOf(task)}
          onSelect={() => onSelect(unit.id, task.number)}
        />
      )
    const remark = remarkOf(unit)
    return (
      <button key={unit.id} type="button" class="task task-unit" onClick={() => onSelect(unit.id)}>
        <StateMark state={stateOf(unit)} />
        <span class="task-title">
          <strong>{visible(unit.id)}</strong>
          {remark !== undefined && <span class={unit.state === "failed" ? "bad" : "faint"}> {visible(remark)}</span>}
        </span>
        <span class="faint">{stateText(stateOf(unit))}</span>
      </button>
    )
  }
  return <VirtualRows label="Tasks" class="task-rows" count={rows.length} render={row} />
}
