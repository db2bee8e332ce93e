import { describe, expect, it } from "@effect/vitest"
import { JobManager, RunStore } from "charlotte"
import { ScriptedOrchestrator, Step } from "charlotte/testing"
import { Deferred, Effect, Fiber, Option, Stream } from "effect"
import { config, unknownId } from "../support/jobs.js"
import { databaseFile, life, seen, startJob, statusOf } from "./lives.js"

const { JobManager: Manager } = JobManager
const Script = ScriptedOrchestrator.ScriptedOrchestrator

const refusal = (id: Parameters<JobManager.JobManager["Type"]["resume"]>[0]) =>
  Effect.flatMap(Manager, ({ resume }) => Effect.flip(resume(id)))

const manual = { recovery: "manual" } as const

describe("resume", () => {
  it.scopedLive("knows no job that is not there", () =>
    Effect.gen(function* () {
      const file = yield* databaseFile
      expect(yield* refusal(unknownId).pipe(life(file))).toMatchObject({ _tag: "JobNotFound", jobId: unknownId })
    })
  )

  it.scopedLive("knows no job of another kind", () =>
    Effect.gen(function* () {
      const file = yield* databaseFile
      const id = yield* startJob.pipe(life(file, { kind: "other" }))
      expect(yield* refusal(id).pipe(life(file))).toMatchObject({ _tag: "JobNotFound" })
    })
  )

  it.scopedLive("refuses every status but interrupted, and names it", () =>
    Effect.gen(function* () {
      const file = yield* databaseFile
      yield* Effect.gen(function* () {
        const manager = yield* Manager
        const { send } = yield* Script
        const [running, completed, failed, cancelled] = yield* Effect.all([startJob, startJob, startJob, startJob])
        yield* send(completed, Step.succeed(1))
        yield* send(failed, Step.fail("no"))
        yield* manager.stop(cancelled)
        yield* Effect.forEach([completed, failed], manager.await)
        for (const [status, jobId] of Object.entries({ running, completed, failed, cancelled })) {
          expect(yield* refusal(jobId)).toMatchObject({ _tag: "NotResumable", jobId, status })
          expect(yield* statusOf(jobId)).toBe(status)
        }
      }).pipe(life(file))
    })
  )

  it.scopedLive("is refused without a permit, and leaves the run as it was", () =>
    Effect.gen(function* () {
      const file = yield* databaseFile
      const id = yield* startJob.pipe(life(file))
      yield* Effect.gen(function* () {
        const manager = yield* Manager
        const other = yield* startJob
        expect(yield* refusal(id)).toMatchObject({ _tag: "MaxJobsReached", maxJobs: 1 })
        expect(yield* statusOf(id)).toBe("interrupted")
        yield* manager.stop(other)
        yield* manager.resume(id)
        expect(yield* statusOf(id)).toBe("running")
      }).pipe(life(file, { ...manual, maxJobs: 1 }))
    })
  )

  it.scopedLive("records who continues an interrupted job, or one that has parked", () =>
    Effect.gen(function* () {
      const file = yield* databaseFile
      const id = yield* startJob.pipe(life(file))
      yield* Effect.gen(function* () {
        const manager = yield* Manager
        const { send } = yield* Script
        const resumed = (attempt: number) =>
          manager.events(id).pipe(
            Stream.filter(({ type }) => type === "job.resumed"),
            Stream.drop(attempt - 2),
            Stream.runHead,
            Effect.map((event) => Option.getOrThrow(event).payload)
          )
        yield* manager.resume(id, { by: "ada" })
        expect(yield* resumed(2)).toEqual({ attempt: 2, by: "resume", sender: "ada", via: "library" })
        yield* send(id, Step.park({ reason: "waits", signal: "go" }))
        yield* seen(id, "job.parked")
        yield* manager.resume(id, { by: "bea" })
        expect(yield* resumed(3)).toEqual({ attempt: 3, by: "resume", sender: "bea", via: "library" })
      }).pipe(life(file, manual))
    })
  )

  it.scopedLive("is refused while the manager closes", () =>
    Effect.gen(function* () {
      const file = yield* databaseFile
      const id = yield* startJob.pipe(life(file))
      const error = yield* Deferred.make<{ readonly _tag: string }>()
      yield* Effect.gen(function* () {
        const manager = yield* Manager
        const { send } = yield* Script
        const other = yield* startJob
        const whileClosing = Effect.addFinalizer(() =>
          Effect.flatMap(Effect.flip(manager.resume(id)), (cause) => Deferred.succeed(error, cause)).pipe(Effect.orDie)
        )
        yield* send(other, () => whileClosing, Step.emit({ type: "ready" }))
        yield* seen(other, "ready")
      }).pipe(life(file, manual))
      expect((yield* Deferred.await(error))._tag).toBe("ShuttingDown")
    })
  )

  it.scopedLive("of one run by many at once begins one attempt", () =>
    Effect.gen(function* () {
      const file = yield* databaseFile
      const id = yield* startJob.pipe(life(file))
      yield* Effect.gen(function* () {
        const manager = yield* Manager
        const store = yield* RunStore.RunStore
        const results = yield* Effect.forEach(Array.from({ length: 20 }), () => Effect.either(manager.resume(id)), {
          concurrency: "unbounded"
        })
        expect(results.filter(({ _tag }) => _tag === "Right")).toHaveLength(1)
        const refused = results.flatMap((result) => (result._tag === "Left" ? [result.left._tag] : []))
        expect(new Set(refused)).toEqual(new Set(["NotResumable"]))
        expect(yield* Effect.flatten(store.get(id))).toMatchObject({ status: "running", attempt: 2 })
        expect(yield* manager.list).toEqual([id])
        yield* manager.stop(id)
        expect(yield* manager.activeCount).toBe(0)
      }).pipe(life(file, { ...manual, maxJobs: 30 }))
    })
  )

  it.scopedLive("and a stop at the same time leave the run cancelled, or running and then cancelled", () =>
    Effect.gen(function* () {
      const file = yield* databaseFile
      const ids = yield* Effect.flatMap(Manager, ({ start }) => Effect.replicateEffect(start(config), 20)).pipe(
        life(file, { maxJobs: 20 })
      )
      yield* Effect.gen(function* () {
        const manager = yield* Manager
        yield* Effect.forEach(
          ids,
          (id) =>
            Effect.gen(function* () {
              const resumption = yield* Effect.fork(Effect.either(manager.resume(id)))
              expect(yield* manager.stop(id)).toMatchObject({ status: "cancelled" })
              yield* Fiber.join(resumption)
              expect(yield* statusOf(id)).toBe("cancelled")
            }),
          { concurrency: "unbounded" }
        )
        expect(yield* manager.activeCount).toBe(0)
      }).pipe(life(file, { ...manual, maxJobs: 20 }))
    })
  )
})
