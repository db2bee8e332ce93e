/**
 * A task in a list: its state and title, its attempt, and how long it took.
 */
import * as costs from "../../progress/cost.js"
import * as format from "../../progress/format.js"
import { type Task, worked } from "../../progress/JobModel.js"
import { visible } from "../ui/visible.js"
import { StateMark } from "./State.js"

export interface Props {
  readonly task: Task
  readonly at: number
  readonly isSelected: boolean
  readonly onSelect: () => void
  /** Shown behind the title. */
  readonly remark?: string | undefined
}

export const TaskButton = ({ at, isSelected, onSelect, remark, task }: Props) => {
  const number = task.attempts.at(-1)?.number ?? 1
  const millis = worked(task, at)
  const time = millis === undefined ? "" : format.clock(millis)
  return (
    <button type="button" class="task" aria-pressed={isSelected} onClick={onSelect}>
      <StateMark state={task.state} />
      <span class="task-title">
        {task.number} {visible(task.title)}
        {remark !== undefined && <span class={task.state === "failed" ? "bad" : "faint"}> {visible(remark)}</span>}
      </span>
      <span class="faint number">
        <span class="visually-hidden">{task.state} </span>
        {number > 1 && `attempt ${number} · `}
        {task.cost !== undefined && (
          <span class="task-cost" title={costs.long(task.cost)}>
            {costs.short(task.cost)}
            {time !== "" && " · "}
          </span>
        )}
        {time}
      </span>
    </button>
  )
}
