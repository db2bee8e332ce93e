/**
 * The progress of a job. It is read once per attempt; after that, each change is written before it takes effect, so that the next
 * attempt can continue if this one is interrupted at any point.
 */
import { Effect } from "effect"
import type { Cost } from "../../domain/Cost.js"
import { TaskRecord, UnitRecord, Work } from "../../domain/Work.js"
import type { JobContext } from "../../manager/Orchestrator.js"
import type { Service as Store } from "../../store/port/RunStoreService.js"
import * as costs from "../../progress/cost.js"
import type { PlanSnapshot } from "./PlanSnapshot.js"
import { retryWrite } from "../../store/rules/retryWrite.js"
import type { WriteError } from "./WriteError.js"

export type UnitChange = Partial<
  Pick<UnitRecord, "state" | "base" | "commit" | "worktree" | "reason" | "startedAt" | "endedAt">
>
export type TaskChange = Partial<Omit<TaskRecord, "unit" | "task" | "position" | "title">>

export interface TaskProgress {
  readonly unit: (unit: string) => UnitRecord
  readonly task: (unit: string, task: number) => TaskRecord
  /** The tasks of a unit, in topological order. */
  readonly tasksOf: (unit: string) => ReadonlyArray<TaskRecord>
  readonly changeUnit: (unit: string, change: UnitChange) => Effect.Effect<void, WriteError>
  /** Records a task that is not part of the plan, after the others of its unit, unless it is recorded. */
  readonly addTask: (task: Omit<TaskRecord, "position">) => Effect.Effect<void, WriteError>
  readonly changeTask: (unit: string, task: number, change: TaskChange) => Effect.Effect<void, WriteError>
  /** The number of agent invocations of the job. */
  readonly calls: () => number
  /** What the turns of the job have cost. */
  readonly cost: () => Cost
}

export const open = (
  store: Pick<Store, "work">,
  { attempt, id: jobId }: JobContext<unknown>,
  snapshot: PlanSnapshot
): Effect.Effect<TaskProgress, WriteError> =>
  Effect.gen(function* () {
    yield* retryWrite(store.work.plan({ jobId, attempt, work: initialWork(snapshot) }))
    const work = yield* store.work.of(jobId)
    const units = new Map(work.units.map((record) => [record.unit, record]))
    const tasks = new Map(work.units.map(({ unit }) => [unit, new Map<number, TaskRecord>()]))
    for (const record of work.tasks) tasks.get(record.unit)?.set(record.task, record)

    const unit = (id: string) => {
      const record = units.get(id)
      if (record === undefined) throw new Error(`unit ${id} is not recorded`)
      return record
    }
    const task = (id: string, number: number) => {
      const record = tasks.get(id)?.get(number)
      if (record === undefined) throw new Error(`task ${number} of unit ${id} is not recorded`)
      return record
    }
    const all = () => [...tasks.values()].flatMap((of) => [...of.values()])
    return {
      unit,
      task,
      tasksOf: (id) => [...(tasks.get(id)?.values() ?? [])],
      changeUnit: (id, change) =>
        Effect.suspend(() => {
          const record = new UnitRecord({ ...unit(id), ...change }, { disableValidation: true })
          return Effect.map(retryWrite(store.work.unit({ jobId, attempt, unit: record })), () => {
            units.set(id, record)
          })
        }),
      addTask: (added) =>
        Effect.suspend(() => {
          const own = tasks.get(added.unit)
          if (own?.has(added.task) !== false) return Effect.void
          const record = new TaskRecord({ ...added, position: own.size }, { disableValidation: true })
          return Effect.map(retryWrite(store.work.add({ jobId, attempt, task: record })), () => {
            own.set(added.task, record)
          })
        }),
      changeTask: (id, number, change) =>
        Effect.suspend(() => {
          const record = new TaskRecord({ ...task(id, number), ...change }, { disableValidation: true })
          return Effect.map(retryWrite(store.work.task({ jobId, attempt, task: record })), () => {
            tasks.get(id)?.set(number, record)
          })
        }),
      calls: () => all().reduce((sum, { calls }) => sum + calls, 0),
      cost: () => costs.sum(all().map(({ cost }) => cost)) ?? costs.nothing
    }
  })

const initialWork = ({ plan: { units }, taken }: PlanSnapshot): Work =>
  new Work({
    units: units.map(({ dependsOn, id, remaining }, position) => {
      // A unit that was taken over with all tasks done still has to be merged.
      const isSkipped = remaining.length === 0 && taken.begun[id] === undefined
      return new UnitRecord({ unit: id, position, dependsOn, state: isSkipped ? "skipped" : "pending" })
    }),
    tasks: units.flatMap(({ id, tasks }) =>
      tasks.map(
        ({ number, status, title }, position) =>
          new TaskRecord({
            unit: id,
            task: number,
            position,
            title,
            state: status === "complete" ? "skipped" : "pending",
            failures: 0,
            calls: 0,
            session: taken.sessions.find(({ task, unit }) => unit === id && task === number)?.session,
            notes: []
          })
      )
    )
  })
