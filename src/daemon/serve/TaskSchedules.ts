/**
 * The schedules of tasks in `config.yaml`, for as long as the scope lives.
 */
import { Effect } from "effect"
import * as ofTasks from "../../manager/internal/ofTasks.js"
import * as schedule from "../../manager/internal/schedule.js"
import { JobManager } from "../../manager/JobManager.js"
import { RunStore } from "../../store/RunStore.js"
import { Configuration } from "../config/Configuration.js"

const { kind } = JobManager

/** Removes the schedules that the configuration no longer has. */
const removeFormer = Effect.gen(function* () {
  const { schedules } = yield* Configuration
  const store = yield* RunStore
  const names = new Set(schedules.map(({ name }) => name))
  for (const found of yield* store.schedules.list) {
    if (found.kind !== kind || names.has(found.name)) continue
    yield* Effect.catchTag(store.schedules.remove(found), "ScheduleNotFound", () => Effect.void)
  }
})

export const make = (options: { readonly isNode: boolean }) =>
  Effect.gen(function* () {
    const { schedules } = yield* Configuration
    // The nodes of a cluster may have different schedules.
    if (!options.isNode) yield* removeFormer
    for (const { name, ...settings } of schedules) yield* schedule.make({ kind, ...ofTasks.ofTasks }, name, settings)
  })
