/** Jobs whose results have to be approved. */
import { type JobId, JobManager, RunStore } from "charlotte"
import { Effect, Option } from "effect"
import type { Decision } from "../../../src/http/server/Extension.js"
import { decide as decideIn } from "../../../src/tasks/http/decide.js"
import type { Config } from "./Scenes.js"

export const decide = (id: JobId.JobId, decision: Decision) =>
  Effect.gen(function* () {
    const store = yield* RunStore.RunStore
    const manager = yield* JobManager.JobManager
    return yield* decideIn(store, (...signal) => manager.signal(id, ...signal), id, decision)
  })

/** Waits until the job has parked in an attempt after the given one, and returns what it waits for. */
export const parked = (id: JobId.JobId, after = 0) =>
  Effect.gen(function* () {
    const store = yield* RunStore.RunStore
    const changes = yield* store.changes(id)
    for (;;) {
      const version = yield* changes.version
      const { attempt, parked, status } = Option.getOrThrow(yield* store.get(id))
      const { approval } = parked ?? {}
      if (status === "parked" && attempt > after)
        return { attempt, ...parked, commit: approval?.commit ?? "", base: approval?.base ?? "" }
      if (status === "completed" || status === "failed") return yield* Effect.dieMessage(`the job is ${status}`)
      yield* changes.changed(version)
    }
  }).pipe(Effect.scoped)

export const asked = (config: Config) =>
  Effect.gen(function* () {
    const manager = yield* JobManager.JobManager
    const id = yield* manager.start(config)
    return { id, ...(yield* parked(id)) }
  })
