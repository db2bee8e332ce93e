/** The nine tests of the original requirement, and what belongs to them. */
import { describe, expect, it } from "@effect/vitest"
import { type JobId, JobManager, RunStore } from "charlotte"
import { ScriptedOrchestrator, Step, TestManager } from "charlotte/testing"
import { Effect, Option, TestClock } from "effect"
import { config, unknownId } from "../support/jobs.js"

const finish = (id: JobId.JobId, value: unknown = null) =>
  Effect.flatMap(ScriptedOrchestrator.ScriptedOrchestrator, ({ send }) => send(id, Step.succeed(value)))

describe("JobManager.start", () => {
  it.effect("returns a valid ULID job id", () =>
    Effect.gen(function* () {
      const { start } = yield* JobManager.JobManager
      expect(yield* start(config)).toMatch(/^[0-7][0-9A-HJKMNP-TV-Z]{25}$/)
    }).pipe(Effect.provide(TestManager.layer()))
  )

  it.effect("makes the job appear in list", () =>
    Effect.gen(function* () {
      const { activeCount, list, start } = yield* JobManager.JobManager
      const first = yield* start(config)
      const second = yield* start(config)
      expect(first < second).toBe(true)
      expect(yield* list).toEqual([first, second])
      expect(yield* activeCount).toBe(2)
    }).pipe(Effect.provide(TestManager.layer()))
  )

  it.effect("records the run with its configuration, defaults filled in, and its labels", () =>
    Effect.gen(function* () {
      const { start } = yield* JobManager.JobManager
      const store = yield* RunStore.RunStore
      const id = yield* start({ ...config, labels: { team: "web" } })
      const run = yield* Effect.flatten(store.get(id))
      expect(run).toMatchObject({ kind: "tasks", status: "running", attempt: 1, labels: { team: "web" } })
      expect(run.config).toMatchObject({ ...config, concurrency: 4, dryRun: false, land: true })
    }).pipe(Effect.provide(TestManager.layer()))
  )
})

describe("JobManager.start_MaxJobs", () => {
  it.effect("returns an error when at capacity, and writes nothing", () =>
    Effect.gen(function* () {
      const { start } = yield* JobManager.JobManager
      const store = yield* RunStore.RunStore
      yield* start(config)
      yield* start(config)
      const error = yield* Effect.flip(start(config))
      expect(error._tag).toBe("MaxJobsReached")
      expect(error.message).toBe("max jobs (2) reached")
      expect(yield* store.list()).toHaveLength(2)
    }).pipe(Effect.provide(TestManager.layer({ maxJobs: 2 })))
  )
})

describe("JobManager.stop", () => {
  it.effect("cancels a running job", () =>
    Effect.gen(function* () {
      const manager = yield* JobManager.JobManager
      const id = yield* manager.start(config)
      const report = yield* manager.stop(id)
      expect(report).toMatchObject({ jobId: id, status: "cancelled", mode: "graceful" })
      expect(yield* manager.list).toEqual([])
      expect((yield* manager.await(id)).status).toBe("cancelled")
    }).pipe(Effect.provide(TestManager.layer()))
  )
})

describe("JobManager.stop_NotFound", () => {
  it.effect("returns an error for an unknown id", () =>
    Effect.gen(function* () {
      const { stop } = yield* JobManager.JobManager
      const error = yield* Effect.flip(stop(unknownId))
      expect(error._tag).toBe("JobNotFound")
      expect(error.message).toBe(`job ${unknownId} not found`)
    }).pipe(Effect.provide(TestManager.layer()))
  )
})

describe("JobManager.get", () => {
  it.effect("returns the job for a valid id", () =>
    Effect.gen(function* () {
      const manager = yield* JobManager.JobManager
      yield* TestClock.adjust("1 minute")
      const id = yield* manager.start(config)
      const job = yield* Effect.flatten(manager.get(id))
      expect(job).toMatchObject({ id, attempt: 1, phase: "running" })
      expect(job.startedAt.epochMillis).toBe(60_000)
      expect(job.config.targetBranch).toBe("main")
      expect((yield* job.stop()).status).toBe("cancelled")
      expect((yield* job.await).status).toBe("cancelled")
    }).pipe(Effect.provide(TestManager.layer()))
  )
})

describe("JobManager.get_NotFound", () => {
  it.effect("returns none for an unknown id", () =>
    Effect.gen(function* () {
      const { get } = yield* JobManager.JobManager
      expect(yield* get(unknownId)).toEqual(Option.none())
    }).pipe(Effect.provide(TestManager.layer()))
  )
})

describe("JobManager.stopAll", () => {
  it.effect("cancels all running jobs", () =>
    Effect.gen(function* () {
      const manager = yield* JobManager.JobManager
      const ids = yield* Effect.replicateEffect(manager.start(config), 5)
      const reports = yield* manager.stopAll
      expect(reports.map(({ jobId, status }) => [jobId, status])).toEqual(ids.map((id) => [id, "cancelled"]))
      expect(yield* manager.activeCount).toBe(0)
      expect(yield* manager.stopAll).toEqual([])
    }).pipe(Effect.provide(TestManager.layer()))
  )
})

describe("JobManager.cleanup", () => {
  it.effect("removes the job from tracking after completion", () =>
    Effect.gen(function* () {
      const manager = yield* JobManager.JobManager
      const id = yield* manager.start(config)
      yield* finish(id, { answer: 42 })
      const run = yield* manager.await(id)
      expect(run).toMatchObject({ status: "completed", result: { answer: 42 } })
      expect(yield* manager.list).toEqual([])
      expect(yield* manager.get(id)).toEqual(Option.none())
    }).pipe(Effect.provide(TestManager.layer()))
  )

  it.effect("releases the permit before await returns", () =>
    Effect.gen(function* () {
      const manager = yield* JobManager.JobManager
      for (let i = 0; i < 100; i++) {
        const id = yield* manager.start(config)
        yield* finish(id)
        yield* manager.await(id)
      }
    }).pipe(Effect.provide(TestManager.layer({ maxJobs: 1 })))
  )
})

describe("a job of 30 days", () => {
  it.effect("ends under TestClock in milliseconds", () =>
    Effect.gen(function* () {
      const manager = yield* JobManager.JobManager
      const id = yield* manager.start(config)
      yield* TestClock.adjust("30 days")
      expect(yield* manager.await(id)).toMatchObject({ status: "completed", result: "done" })
    }).pipe(Effect.provide(TestManager.layer({ script: () => [Step.wait("30 days"), Step.succeed("done")] })))
  )
})
