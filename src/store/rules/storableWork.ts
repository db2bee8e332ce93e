/**
 * Free text of units, tasks and logs as both databases keep it: the TEXT of PostgreSQL cannot hold NUL, so U+FFFD replaces it.
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

/** The tasks of a plan that are not recorded; after the first plan, only tasks of known units, which come after the recorded ones. */
export const further = (
  planned: ReadonlyArray<{ readonly unit: string; readonly task: number | null }>,
  tasks: ReadonlyArray<TaskRecord>
): ReadonlyArray<TaskRecord> => {
  const known = new Map<string, Set<number>>()
  for (const { task, unit } of planned) {
    const own = known.get(unit) ?? new Set()
    known.set(unit, task === null ? own : own.add(task))
  }
  if (known.size === 0) return tasks
  return tasks.flatMap((record) => {
    const own = known.get(record.unit)
    if (own === undefined || own.has(record.task)) return []
    const position = Math.max(record.position, own.size)
    own.add(record.task)
    return new TaskRecord({ ...record, position }, { disableValidation: true })
  })
}
