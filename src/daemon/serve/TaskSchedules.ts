/**
 * The schedules of tasks in `config.yaml`, for as long as the scope lives.
 */
import { Effect, Schedule } from "effect"
import * as background from "../../internal/background.js"
import * as ofTasks from "../../manager/internal/ofTasks.js"
import * as schedule from "../../manager/internal/schedule.js"
import { JobManager } from "../../manager/JobManager.js"
import { RunStore } from "../../store/RunStore.js"
import { Configuration } from "../config/Configuration.js"
import type { ScheduleSettings } from "../config/ScheduleSettings.js"

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

/** Starts the jobs of a schedule. What is wrong with one does not concern the others, and a store may be unreachable for a while. */
const started = ({ name, ...settings }: ScheduleSettings) =>
  schedule.make({ kind, ...ofTasks.ofTasks }, name, settings).pipe(
    Effect.tapErrorTag("StoreError", (error) => Effect.logWarning(`the schedule ${name} starts no jobs yet`, error)),
    Effect.retry({ while: ({ _tag }) => _tag === "StoreError", schedule: Schedule.spaced("5 seconds") }),
    Effect.catchAll((error) => Effect.logError(`the schedule ${name} starts no jobs`, error))
  )

export const make = (options: { readonly isNode: boolean }) =>
  Effect.gen(function* () {
    const { schedules } = yield* Configuration
    // The nodes of a cluster may have different schedules.
    if (!options.isNode) yield* background.fork(Effect.ignoreLogged(removeFormer))
    for (const settings of schedules) yield* background.fork(started(settings))
  })
