/**
 * The task progress part of the in-memory store.
 */
import { Effect } from "effect"
import { StoreError, Superseded } from "../../domain/errors.js"
import type { JobId } from "../../domain/JobId.js"
import {
  TaskCounts,
  type TaskRecord,
  type TaskState,
  type UnitRecord,
  type UnitState,
  Work
} from "../../domain/Work.js"
import { further, storableTask, storableUnit } from "../rules/storableWork.js"
import type { TaskProgressStore } from "../port/TaskProgressStore.js"

interface Planned {
  readonly units: Map<string, UnitRecord>
  readonly tasks: Map<string, TaskRecord>
}

const terminal: ReadonlySet<UnitState | TaskState> = new Set(["merged", "completed", "failed", "blocked", "skipped"])

/** Whether a unit has a further task. */
const isRunAgain = (before: UnitRecord | TaskRecord, { state }: UnitRecord | TaskRecord): boolean =>
  !("task" in before) && (before.state === "merged" || before.state === "skipped") && state === "running"

const plannedOf = ({ tasks, units }: Planned = { units: new Map(), tasks: new Map() }) => [
  ...[...units.keys()].map((unit) => ({ unit, task: null })),
  ...tasks.values()
]

const taskKey = ({ task, unit }: Pick<TaskRecord, "task" | "unit">): string => `${unit}/${task}`

const byPosition = (a: { readonly position: number }, b: { readonly position: number }): number =>
  a.position - b.position

const count = (tasks: ReadonlyArray<TaskRecord>): TaskCounts => {
  const counts = { pending: 0, running: 0, completed: 0, failed: 0, skipped: 0 }
  for (const { state } of tasks) counts[state] += 1
  return new TaskCounts(counts)
}

export const make = (
  isCurrent: (jobId: JobId, attempt: number) => boolean
): TaskProgressStore & {
  readonly unitsOf: (jobId: JobId) => ReadonlyArray<UnitRecord>
  readonly hasTask: (jobId: JobId, task: Pick<TaskRecord, "task" | "unit">) => boolean
  readonly titles: (jobId: JobId) => ReadonlyArray<string>
  readonly forget: (jobId: JobId) => void
} => {
  const jobs = new Map<JobId, Planned>()

  const write = (
    { attempt, jobId }: { readonly jobId: JobId; readonly attempt: number },
    body: (planned: Planned | undefined) => Effect.Effect<void, StoreError>
  ): Effect.Effect<void, Superseded | StoreError> =>
    Effect.suspend((): Effect.Effect<void, Superseded | StoreError> =>
      isCurrent(jobId, attempt) ? body(jobs.get(jobId)) : new Superseded({ jobId, attempt })
    )

  const replace = <A extends UnitRecord | TaskRecord>(
    records: Map<string, A> | undefined,
    key: string,
    record: A
  ): Effect.Effect<void, StoreError> => {
    const before = records?.get(key)
    if (records === undefined || before === undefined)
      return Effect.dieMessage(`${key} was not planned; call work.plan first`)
    if (terminal.has(before.state) && record.state !== before.state && !isRunAgain(before, record)) {
      const cause = new Error(`${key} is already ${before.state}, which is final`)
      return new StoreError({ operation: "record units and tasks", reason: "other", cause })
    }
    records.set(key, record)
    return Effect.void
  }

  const unitsOf = (jobId: JobId) => [...(jobs.get(jobId)?.units.values() ?? [])].sort(byPosition)

  return {
    unitsOf,
    hasTask: (jobId, task) => jobs.get(jobId)?.tasks.has(taskKey(task)) === true,
    forget: (jobId) => void jobs.delete(jobId),
    plan: ({ work, ...by }) =>
      write(by, (planned) =>
        Effect.sync(() => {
          if (work.units.length === 0) return
          jobs.set(by.jobId, {
            units: planned?.units ?? new Map(work.units.map((unit) => [unit.unit, storableUnit(unit)])),
            tasks: new Map([
              ...(planned?.tasks ?? []),
              ...further(plannedOf(planned), work.tasks).map((task) => [taskKey(task), storableTask(task)] as const)
            ])
          })
        })
      ),
    unit: ({ unit, ...by }) => write(by, (planned) => replace(planned?.units, unit.unit, storableUnit(unit))),
    add: ({ task, ...by }) =>
      write(by, (planned) =>
        Effect.sync(() => {
          if (planned?.tasks.has(taskKey(task)) === false) planned.tasks.set(taskKey(task), storableTask(task))
        })
      ),
    task: ({ task, ...by }) => write(by, (planned) => replace(planned?.tasks, taskKey(task), storableTask(task))),
    of: (jobId) =>
      Effect.sync(() => {
        const planned = jobs.get(jobId)
        const units = unitsOf(jobId)
        const tasks = [...(planned?.tasks.values() ?? [])].sort(byPosition)
        const position = new Map(units.map(({ position, unit }) => [unit, position]))
        tasks.sort((a, b) => (position.get(a.unit) ?? 0) - (position.get(b.unit) ?? 0))
        return new Work({ units, tasks }, { disableValidation: true })
      }),
    unitNames: (jobIds, most) =>
      Effect.sync(
        () =>
          new Map(
            jobIds.flatMap((jobId) => {
              const units = unitsOf(jobId).slice(0, most)
              return units.length === 0 ? [] : [[jobId, units.map(({ unit }) => unit)] as const]
            })
          )
      ),
    costs: (jobIds) =>
      Effect.sync(
        () =>
          new Map(
            jobIds.flatMap((jobId) => {
              const costs = [...(jobs.get(jobId)?.tasks.values() ?? [])].flatMap(({ cost }) => cost ?? [])
              return costs.length === 0 ? [] : [[jobId, costs] as const]
            })
          )
      ),
    titles: (jobId) => Array.from(jobs.get(jobId)?.tasks.values() ?? [], ({ title }) => title),
    counts: (jobIds) =>
      Effect.sync(
        () =>
          new Map(
            jobIds.flatMap((jobId) => {
              const tasks = [...(jobs.get(jobId)?.tasks.values() ?? [])]
              return tasks.length === 0 ? [] : [[jobId, count(tasks)] as const]
            })
          )
      )
  }
}
