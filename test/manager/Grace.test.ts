/** How long a job has to end, when it is stopped more than once. */
import { describe, expect, it } from "@effect/vitest"
import { JobManager, Orchestrator, RunStore } from "charlotte"
import { Clock, Deferred, Duration, Effect, Fiber, Layer, Option, TestClock } from "effect"
import { config } from "../support/jobs.js"

/** A job that uses all of its grace, and says when that was over. */
const patient = Effect.gen(function* () {
  const begun = yield* Deferred.make<void>()
  const over = yield* Deferred.make<number>()
  const Patient = Orchestrator.layer((job) =>
    Effect.zipRight(
      Effect.acquireRelease(Deferred.succeed(begun, undefined), () =>
        Effect.zipRight(job.graceOver, Deferred.complete(over, Clock.currentTimeMillis))
      ),
      Effect.never
    )
  )
  const layer = JobManager.layer().pipe(Layer.provide([Patient, RunStore.layerMemory]))
  return { begun: Deferred.await(begun), over: Deferred.await(over), layer }
})

describe("grace period of a job", () => {
  it.effect("is shortened but not lengthened by a later stop, and job.graceOver completes at its end", () =>
    Effect.gen(function* () {
      const { begun, layer, over } = yield* patient
      yield* Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        const id = yield* manager.start(config)
        yield* begun
        const first = yield* Effect.fork(manager.stop(id, { grace: "1 hour" }))
        yield* TestClock.adjust("1 second")
        const second = yield* Effect.fork(manager.stop(id, { grace: "2 seconds" }))
        const third = yield* Effect.fork(manager.stop(id, { grace: "1 minute" }))
        yield* TestClock.adjust("1999 millis")
        expect(Option.isNone(yield* Fiber.poll(second))).toBe(true)
        yield* TestClock.adjust("1 millis")
        expect(yield* over).toBe(3_000)
        const reports = yield* Effect.forEach([first, second, third], (stop) => Fiber.join(stop))
        expect(reports.map(({ mode, status }) => [status, mode])).toEqual(reports.map(() => ["cancelled", "graceful"]))
        expect(reports.map(({ elapsed }) => Duration.toMillis(elapsed))).toEqual([3_000, 2_000, 2_000])
      }).pipe(Effect.provide(layer))
    })
  )

  it.effect("ends at once after a stop with 0", () =>
    Effect.gen(function* () {
      const { begun, layer, over } = yield* patient
      yield* Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        const id = yield* manager.start(config)
        yield* begun
        const first = yield* Effect.fork(manager.stop(id, { grace: "1 hour" }))
        yield* TestClock.adjust("1 second")
        yield* manager.stop(id, { grace: 0 })
        expect(yield* over).toBe(1_000)
        expect((yield* Fiber.join(first)).status).toBe("cancelled")
      }).pipe(Effect.provide(layer))
    })
  )

  it.effect("is that of stopAll, also behind a stop with a longer one", () =>
    Effect.gen(function* () {
      const { begun, layer, over } = yield* patient
      yield* Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        const id = yield* manager.start(config)
        yield* begun
        yield* Effect.fork(manager.stop(id, { grace: "1 hour" }))
        yield* TestClock.adjust("1 second")
        const all = yield* Effect.fork(manager.stopAll)
        yield* TestClock.adjust("5 seconds")
        expect((yield* Fiber.join(all)).map(({ jobId, status }) => [jobId, status])).toEqual([[id, "cancelled"]])
        expect(yield* over).toBe(6_000)
      }).pipe(Effect.provide(layer))
    })
  )

  it.effect("and one second more is all that stopAll waits behind a stop with a longer one", () =>
    Effect.gen(function* () {
      const begun = yield* Deferred.make<void>()
      const Stubborn = Orchestrator.layer(() =>
        Effect.uninterruptible(Effect.zipRight(Deferred.succeed(begun, undefined), Effect.sleep("1 day")))
      )
      yield* Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        const id = yield* manager.start(config)
        yield* Deferred.await(begun)
        yield* Effect.fork(Effect.exit(manager.stop(id, { grace: "1 hour" })))
        yield* TestClock.adjust("1 second")
        const all = yield* Effect.fork(manager.stopAll)
        yield* TestClock.adjust("6 seconds")
        expect(yield* Fiber.join(all)).toMatchObject([{ jobId: id, mode: "timedOut" }])
        yield* TestClock.adjust("1 day")
      }).pipe(Effect.provide(JobManager.layer().pipe(Layer.provide([Stubborn, RunStore.layerMemory]))))
    })
  )

  it.live("leaves no timer behind once the stop is over", () =>
    Effect.gen(function* () {
      const manager = yield* JobManager.JobManager
      const timers = Effect.sync(() => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length)
      const before = yield* timers
      const id = yield* manager.start(config)
      yield* Effect.yieldNow()
      yield* manager.stop(id, { grace: "1 hour" })
      // The fibers that waited with it go a moment later.
      yield* Effect.repeat(Effect.zipRight(Effect.sleep("1 millis"), timers), {
        until: (now) => now <= before,
        times: 1_000
      })
      expect(yield* timers).toBeLessThanOrEqual(before)
    }).pipe(
      Effect.provide(
        JobManager.layer().pipe(Layer.provide([Orchestrator.layer(() => Effect.never), RunStore.layerMemory]))
      )
    )
  )
})
