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
