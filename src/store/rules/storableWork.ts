/**
 * Free text of units, tasks and logs as all stores keep it: the TEXT of PostgreSQL cannot hold NUL, so U+FFFD replaces it.
 */
import { TaskRecord, UnitRecord } from "../../domain/Work.js"

export const storable = (text: string): string => text.replaceAll("\0", "\uFFFD")

const hasNul = (text: string | undefined): text is string => text !== undefined && text.includes("\0")

export const storableUnit = (unit: UnitRecord): UnitRecord =>
  hasNul(unit.reason) ? new UnitRecord({ ...unit, reason: storable(unit.reason) }, { disableValidation: true }) : unit

export const storableTask = (task: TaskRecord): TaskRecord =>
  hasNul(task.reason) || hasNul(task.said) || hasNul(task.title)
    ? new TaskRecord(
        {
          ...task,
          title: storable(task.title),
          ...(task.reason === undefined ? {} : { reason: storable(task.reason) }),
          ...(task.said === undefined ? {} : { said: storable(task.said) })
        },
        { disableValidation: true }
      )
    : task

/** The tasks of a plan that are not recorded; after the first plan, only those of known units. */
export const further = (
  planned: ReadonlyArray<{ readonly unit: string; readonly task: number | null }>,
  tasks: ReadonlyArray<TaskRecord>
): ReadonlyArray<TaskRecord> => {
  const units = new Set(planned.map(({ unit }) => unit))
  const known = new Set(planned.map(({ task, unit }) => `${unit}/${task}`))
  return tasks.filter(({ task, unit }) => units.size === 0 || (units.has(unit) && !known.has(`${unit}/${task}`)))
}
