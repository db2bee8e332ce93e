/** A manager whose database fails: at statement k, for k = 1, 2, 3 … until it is hit no more. */
import { describe, expect, it } from "@effect/vitest"
import { type JobId, JobManager, RunStore } from "charlotte"
import { ScriptedOrchestrator, Step } from "charlotte/testing"
import { Chunk, Effect, Fiber, Layer, Option, Stream, TestClock } from "effect"
import { RealClock } from "../../src/internal/RealClock.js"
import * as FailingSql from "../support/FailingSql.js"
import * as HurriedClock from "../support/hurriedClock.js"
import { config } from "../support/jobs.js"

const maxJobs = 2

// Automatic recovery would read at the same time, and fail in place of the job.
const layer = JobManager.layer({ maxJobs, recovery: "manual" }).pipe(
  Layer.provideMerge(Layer.merge(RunStore.layer, ScriptedOrchestrator.layer())),
  Layer.provideMerge(FailingSql.layer({ filename: ":memory:" })),
  Layer.provideMerge(HurriedClock.layer)
)

const emissions = ["a", "b", "c"].map((type) => Step.emit({ type }))

const command = (id: JobId.JobId, ...steps: ReadonlyArray<Step.Step>) =>
  Effect.flatMap(ScriptedOrchestrator.ScriptedOrchestrator, ({ send }) => send(id, ...emissions, ...steps))

/** Brings a job to its end, and gives what the manager says of it. */
const endings = {
  completed: (id: JobId.JobId) =>
    Effect.flatMap(JobManager.JobManager, (manager) =>
      Effect.zipRight(command(id, Step.succeed("done")), manager.await(id))
    ),
  failed: (id: JobId.JobId) =>
    Effect.flatMap(JobManager.JobManager, (manager) =>
      Effect.zipRight(command(id, Step.fail("broken")), manager.await(id))
    ),
  cancelled: (id: JobId.JobId) =>
    Effect.flatMap(JobManager.JobManager, (manager) => Effect.zipRight(command(id, Step.flush), manager.stop(id)))
}

/** One job from its start to its end; tells whether it was started at all. */
const life = (status: keyof typeof endings) =>
  Effect.gen(function* () {
    const manager = yield* JobManager.JobManager
    const started = yield* Effect.either(manager.start(config))
    if (started._tag === "Left") {
      expect(started.left).toMatchObject({ _tag: "StoreError", reason: "full" })
      return false
    }
    expect((yield* endings[status](started.right)).status).toBe(status)
    return true
  })

/** What holds once the database works again. */
const audit = (status: keyof typeof endings, started: boolean, before: number) =>
  Effect.gen(function* () {
    const manager = yield* JobManager.JobManager
    const store = yield* RunStore.RunStore
    const runs = yield* store.list({ limit: 1_000 })
    expect(runs.length - before).toBe(started ? 1 : 0)
    const [run] = runs
    if (started && run !== undefined) {
      expect(run.status).toBe(status)
      const events = Chunk.toReadonlyArray(yield* Stream.runCollect(manager.events(run.id)))
      expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i + 1))
      const types = events.map(({ type }) => type).filter((type) => type !== "job.stopping")
      expect(types[0]).toBe("job.started")
      expect(types.at(-1)).toBe(`job.${status}`)
      // A stop may come before the orchestrator has emitted; else nothing is missing, and nothing is there twice.
      const emitted = types.slice(1, -1)
      expect(emitted).toEqual(["a", "b", "c"].slice(0, status === "cancelled" ? emitted.length : 3))
    }
    expect(yield* manager.health).toEqual({ healthy: true, unrecorded: [] })
    expect(yield* manager.activeCount).toBe(0)
    // All places are free, and no more than that.
    yield* Effect.replicateEffect(manager.start(config), maxJobs)
    expect((yield* Effect.flip(manager.start(config)))._tag).toBe("MaxJobsReached")
    yield* manager.stopAll
    return (yield* store.list({ limit: 1_000 })).length
  })

describe("a job that is to be", () => {
  for (const status of ["completed", "failed", "cancelled"] as const) {
    for (const rollsBack of [false, true]) {
      it.effect(
        `${status} is so, or was never started, when one statement fails${rollsBack ? " and SQLite rolls back" : ""}`,
        () =>
          Effect.gen(function* () {
            const { clear, failures, set } = yield* FailingSql.FailingSql
            let runs = 0
            let refused = 0
            let k = 1
            for (let failed = true; failed; k++) {
              yield* set({ from: k, rollsBack })
              const started = yield* life(status)
              failed = (yield* failures) > 0
              yield* clear
              if (!started) refused += 1
              runs = yield* audit(status, started, runs)
            }
            expect(refused).toBeGreaterThan(3)
            expect(k).toBeGreaterThan(10)
          }).pipe(Effect.provide(layer))
      )
    }

    it.effect(`${status} is so in the end, or was never started, when nothing can be written for ten seconds`, () =>
      Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        const { clear, failures, hit, set } = yield* FailingSql.FailingSql
        const { sleep } = yield* RealClock
        const outage = Effect.gen(function* () {
          yield* hit
          yield* sleep(5_000)
          // A job that is still there has something to be recorded, and the manager does not hide it.
          const { healthy, unrecorded } = yield* manager.health
          expect(unrecorded.map(({ jobId }) => jobId)).toEqual(yield* manager.list)
          expect(unrecorded.every(({ error }) => error.reason === "full")).toBe(true)
          expect(healthy).toBe(unrecorded.length === 0)
          yield* sleep(5_000)
          yield* clear
        })
        let runs = 0
        let refused = 0
        let k = 1
        for (let failed = true; failed; k++) {
          yield* set({ from: k, to: Infinity })
          const ten = yield* Effect.fork(outage)
          const started = yield* life(status)
          failed = (yield* failures) > 0 || Option.isSome(yield* Fiber.poll(ten))
          yield* failed ? Fiber.join(ten) : Effect.zipRight(Fiber.interrupt(ten), clear)
          if (!started) refused += 1
          runs = yield* audit(status, started, runs)
        }
        expect(refused).toBeGreaterThan(3)
        expect(k).toBeGreaterThan(10)
      }).pipe(Effect.provide(layer))
    )
  }
})

describe("a stop", () => {
  it.effect("interrupts on a full disk all the same, and is recorded when there is room again", () =>
    Effect.gen(function* () {
      const manager = yield* JobManager.JobManager
      const store = yield* RunStore.RunStore
      const { send } = yield* ScriptedOrchestrator.ScriptedOrchestrator
      const { clear, hit, set } = yield* FailingSql.FailingSql
      const cleaned = yield* Effect.makeLatch()
      const begun = yield* Effect.makeLatch()
      const id = yield* manager.start(config)
      yield* send(id, () => Effect.acquireRelease(Effect.asVoid(begun.open), () => cleaned.open))
      yield* begun.await
      yield* set({ from: 1, to: Infinity })
      const stop = yield* Effect.fork(manager.stop(id))
      yield* hit
      yield* cleaned.await
      expect(yield* Effect.map(Effect.flatten(manager.get(id)), ({ phase }) => phase)).toBe("stopping")
      // Its place is not given away before its end is recorded.
      yield* Effect.flatMap(RealClock, ({ sleep }) => sleep(10_000))
      expect(yield* manager.activeCount).toBe(1)
      expect(yield* manager.health).toMatchObject({
        healthy: false,
        unrecorded: [{ jobId: id, error: { reason: "full" } }]
      })
      yield* clear
      expect(yield* Fiber.join(stop)).toMatchObject({ status: "cancelled", mode: "graceful" })
      expect((yield* Effect.flatten(store.get(id))).status).toBe("cancelled")
      expect((yield* manager.health).healthy).toBe(true)
    }).pipe(Effect.provide(layer))
  )

  it.effect("of a job that has failed and is not recorded yet does not keep that from being recorded", () =>
    Effect.gen(function* () {
      const manager = yield* JobManager.JobManager
      const store = yield* RunStore.RunStore
      const { clear, hit, set } = yield* FailingSql.FailingSql
      const { sleep } = yield* RealClock
      const id = yield* manager.start(config)
      yield* set({ from: 1, to: Infinity })
      yield* Effect.flatMap(ScriptedOrchestrator.ScriptedOrchestrator, ({ send }) => send(id, Step.fail("broken")))
      yield* hit
      yield* sleep(1_000)
      const stop = yield* Effect.fork(manager.stop(id))
      yield* sleep(1_000)
      expect(yield* manager.activeCount).toBe(1)
      yield* clear
      expect(yield* Fiber.join(stop)).toMatchObject({ status: "failed", mode: "alreadyEnded" })
      expect((yield* Effect.flatten(store.get(id))).status).toBe("failed")
    }).pipe(Effect.provide(layer))
  )

  it.effect("says what keeps it from being recorded, when that takes longer than the grace", () =>
    Effect.gen(function* () {
      const manager = yield* JobManager.JobManager
      const { clear, set } = yield* FailingSql.FailingSql
      const id = yield* manager.start(config)
      yield* set({ from: 1, to: Infinity })
      const stop = yield* Effect.fork(Effect.flip(manager.stop(id)))
      yield* Effect.flatMap(RealClock, ({ sleep }) => sleep(1_000))
      yield* TestClock.adjust("6 seconds")
      expect(yield* Fiber.join(stop)).toMatchObject({
        _tag: "StoreError",
        reason: "full",
        operation: "record job.cancelled"
      })
      yield* clear
      expect((yield* manager.await(id)).status).toBe("cancelled")
    }).pipe(Effect.provide(layer))
  )
})
