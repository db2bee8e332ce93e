import { describe, expect, it } from "@effect/vitest"
import { JobManager, Orchestrator, RunStore } from "charlotte"
import { ConfigProvider, Deferred, Duration, Effect, Layer } from "effect"
import { config } from "../support/jobs.js"

const configured = (environment: Record<string, string>, run: Parameters<typeof Orchestrator.layer<never>>[0]) =>
  JobManager.layerConfig.pipe(
    Layer.provide([Orchestrator.layer<never>(run), RunStore.layerMemory]),
    Layer.provide(Layer.setConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(environment)))))
  )

describe("JobManager.layerConfig", () => {
  it.effect("reads the number of jobs and the grace from the configuration", () =>
    Effect.gen(function* () {
      const grace = yield* Deferred.make<Duration.Duration>()
      const asking = configured({ CHARLOTTE_MAX_JOBS: "1", CHARLOTTE_STOP_GRACE: "42 seconds" }, (job) =>
        Effect.zipRight(Deferred.succeed(grace, job.grace), Effect.never)
      )
      yield* Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        yield* manager.start(config)
        expect(Duration.toSeconds(yield* Deferred.await(grace))).toBe(42)
        expect(yield* Effect.flip(manager.start(config))).toMatchObject({ _tag: "MaxJobsReached", maxJobs: 1 })
      }).pipe(Effect.provide(asking))
    })
  )

  it.effect("refuses an invalid number of jobs", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Layer.launch(configured({ CHARLOTTE_MAX_JOBS: "0" }, () => Effect.never)))
      expect(String(error)).toContain("CHARLOTTE_MAX_JOBS")
      expect(String(error)).toContain("a whole number, 1 or more")
    })
  )
})
