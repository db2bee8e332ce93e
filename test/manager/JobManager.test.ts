import { describe, expect, it } from "@effect/vitest"
import { JobManager, Orchestrator, RunStore } from "charlotte"
import { Deferred, Duration, Effect, Exit, Layer, Option, TestClock } from "effect"

const config = { repoPath: "/tmp/repo", tasksDir: "/tmp/tasks", targetBranch: "main" }

const manager = (run: Parameters<typeof Orchestrator.layer>[0], options?: JobManager.LayerOptions) =>
  JobManager.layer(options).pipe(Layer.provide([Orchestrator.layer(run), RunStore.layerMemory]))

const idle = () => Effect.never

describe("JobManager.start", () => {
  it.effect("returns a valid ULID job id, and the job appears in list", () =>
    Effect.gen(function* () {
      const { list, start } = yield* JobManager.JobManager
      const id = yield* start(config)
      expect(id).toMatch(/^[0-7][0-9A-HJKMNP-TV-Z]{25}$/)
      expect(yield* list).toEqual([id])
    }).pipe(Effect.provide(manager(idle)))
  )
})

describe("JobManager.start at capacity", () => {
  it.effect("fails with max jobs", () =>
    Effect.gen(function* () {
      const { start } = yield* JobManager.JobManager
      yield* start(config)
      yield* start(config)
      const error = yield* Effect.flip(start(config))
      expect(error._tag).toBe("MaxJobsReached")
      expect(error.message).toContain("max jobs (2) reached")
    }).pipe(Effect.provide(manager(idle, { maxJobs: 2 })))
  )
})

describe("a long job", () => {
  it.effect("of 30 days ends under TestClock", () =>
    Effect.gen(function* () {
      const { await: ended, start } = yield* JobManager.JobManager
      const id = yield* start(config)
      yield* TestClock.adjust("30 days")
      const run = yield* ended(id)
      expect(run.status).toBe("completed")
      expect(run.result).toBe("done")
    }).pipe(Effect.provide(manager(() => Effect.as(Effect.sleep("30 days"), "done"))))
  )
})
