/** Waiting runs that are rescheduled. */
import { describe, expect, it } from "@effect/vitest"
import { JobManager, RunStore } from "charlotte"
import { ScriptedOrchestrator, Step } from "charlotte/testing"
import { DateTime, Effect, Layer, TestClock } from "effect"
import { config } from "../support/jobs.js"
import { typesOf } from "./lives.js"

const { JobManager: Manager } = JobManager

const layer = JobManager.layer({ maxJobs: 1 }).pipe(
  Layer.provideMerge(Layer.merge(RunStore.layerMemory, ScriptedOrchestrator.layer()))
)

describe("reschedule", () => {
  it.scoped("lets the run with the new priority begin first", () =>
    Effect.gen(function* () {
      const manager = yield* Manager
      const { began, send } = yield* ScriptedOrchestrator.ScriptedOrchestrator
      const first = yield* manager.start(config)
      const second = yield* manager.start(config, { whenFull: "queue" })
      const third = yield* manager.start(config, { whenFull: "queue" })
      yield* manager.reschedule(third, { priority: 5, by: "ann" })
      yield* began(first)
      yield* send(first, Step.succeed("done"))
      yield* began(third)
      expect(yield* manager.list).toEqual([third])
      yield* send(third, Step.succeed("done"))
      yield* began(second)
      const { events } = yield* RunStore.RunStore
      const page = yield* Effect.flatten(events({ kind: "tasks", jobId: third, after: 1, limit: 1 }))
      expect(page.events).toMatchObject([{ payload: { by: "ann", via: "library" } }])
      expect(yield* typesOf(third)).toEqual(["job.queued", "job.rescheduled", "job.started", "job.completed"])
    }).pipe(Effect.provide(layer))
  )

  it.scoped("begins a run that waits for a time at its new one, or now", () =>
    Effect.gen(function* () {
      const manager = yield* Manager
      const { began, send } = yield* ScriptedOrchestrator.ScriptedOrchestrator
      const now = yield* manager.start(config, { delay: "3 days" })
      yield* manager.reschedule(now, { startAt: "now" })
      yield* began(now)
      yield* send(now, Step.succeed("done"))
      yield* manager.await(now)
      const sooner = yield* manager.start(config, { delay: "3 days" })
      yield* manager.reschedule(sooner, { startAt: DateTime.add(yield* DateTime.now, { hours: 1 }) })
      yield* TestClock.adjust("59 minutes")
      expect(yield* manager.list).toEqual([])
      yield* TestClock.adjust("1 minute")
      yield* began(sooner)
    }).pipe(Effect.provide(layer))
  )

  it.scoped("names the option that is wrong, and refuses what does not wait", () =>
    Effect.gen(function* () {
      const manager = yield* Manager
      const id = yield* manager.start(config)
      const refused = (options: JobManager.RescheduleOptions) =>
        Effect.map(Effect.flip(manager.reschedule(id, options)), ({ message }) => message)
      expect(yield* refused({})).toBe("invalid job configuration: a priority or a start time is needed")
      expect(yield* refused({ priority: 0.5 })).toContain("priority: ")
      expect(yield* refused({ priority: 1 })).toBe(`job ${id} cannot be rescheduled: it is running`)
      const runs = yield* RunStore.RunStore
      expect((yield* Effect.flatten(runs.get(id))).priority).toBe(0)
    }).pipe(Effect.provide(layer))
  )
})
