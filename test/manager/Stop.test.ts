import { describe, expect, it } from "@effect/vitest"
import { JobManager, Orchestrator, RunStore, StopReport } from "charlotte"
import { ScriptedOrchestrator, Step, TestManager } from "charlotte/testing"
import { Chunk, Clock, Deferred, Duration, Effect, Fiber, Layer, Option, Ref, Schema, Stream, TestClock } from "effect"
import { interleaved } from "../support/interleaving.js"
import { config } from "../support/jobs.js"

const types = (id: Parameters<JobManager.JobManager["Type"]["events"]>[0]) =>
  Effect.flatMap(JobManager.JobManager, ({ events }) =>
    Effect.map(Stream.runCollect(events(id)), (all) => Chunk.toReadonlyArray(all).map(({ type }) => type))
  )

describe("stop", () => {
  it.effect("returns after the orchestrator's finalizer, the commit and the permit", () =>
    Effect.gen(function* () {
      const order = yield* Ref.make<ReadonlyArray<string>>([])
      const say = (what: string) => Ref.update(order, (all) => [...all, what])
      const begun = yield* Deferred.make<void>()
      const Slow = Orchestrator.layer(() =>
        Effect.acquireRelease(Deferred.succeed(begun, undefined), () => say("finalizer")).pipe(
          Effect.zipRight(Effect.never)
        )
      )
      yield* Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        const store = yield* RunStore.RunStore
        const id = yield* manager.start(config)
        yield* Deferred.await(begun)
        yield* manager.stop(id)
        yield* say("stopped")
        expect(yield* Effect.map(Effect.flatten(store.get(id)), ({ status }) => status)).toBe("cancelled")
        yield* manager.start(config)
        expect(yield* Ref.get(order)).toEqual(["finalizer", "stopped"])
      }).pipe(
        Effect.provide(
          JobManager.layer({ maxJobs: 1 }).pipe(Layer.provideMerge(Layer.merge(Slow, RunStore.layerMemory)))
        )
      )
    })
  )

  it.effect("is recorded under the name of who stops a running job, or one that waits", () =>
    Effect.gen(function* () {
      const manager = yield* JobManager.JobManager
      const { began } = yield* ScriptedOrchestrator.ScriptedOrchestrator
      const { lifecycle } = yield* RunStore.RunStore
      const running = yield* manager.start(config)
      const waiting = yield* manager.start(config, { whenFull: "queue" })
      yield* began(running)
      for (const id of [waiting, running]) yield* manager.stop(id, { by: "ada" })
      const events = yield* Effect.forEach([waiting, running], (id) => lifecycle(id))
      expect(events.map((of) => of.slice(-2).map(({ payload, type }) => ({ type, payload })))).toEqual([
        [
          { type: "job.queued", payload: { waitsFor: "permit" } },
          { type: "job.cancelled", payload: { by: "ada", via: "library" } }
        ],
        [
          { type: "job.stopping", payload: { by: "ada", via: "library" } },
          { type: "job.cancelled", payload: undefined }
        ]
      ])
    }).pipe(Effect.provide(TestManager.layer({ maxJobs: 1 })))
  )

  it.effect("gives 100 concurrent callers one outcome, and the job one terminal event", () =>
    Effect.gen(function* () {
      const manager = yield* JobManager.JobManager
      const { began } = yield* ScriptedOrchestrator.ScriptedOrchestrator
      const id = yield* manager.start(config)
      yield* began(id)
      const stops = yield* Effect.fork(Effect.replicateEffect(manager.stop(id), 100, { concurrency: "unbounded" }))
      yield* Effect.yieldNow()
      yield* TestClock.adjust("1 second")
      const reports = yield* Fiber.join(stops)
      expect(reports).toHaveLength(100)
      expect(new Set(reports.map(({ mode, status }) => `${mode} ${status}`))).toEqual(new Set(["graceful cancelled"]))
      expect(yield* types(id)).toEqual(["job.started", "job.stopping", "job.cancelled"])
    }).pipe(Effect.provide(TestManager.layer({ script: () => [Step.cleanUp("1 second")] })))
  )

  // The lock of TestClock is lost where a fiber is interrupted that has just taken it.
  it.live("has one grace, the shortest, also for two concurrent callers, wherever they yield", () =>
    Effect.gen(function* () {
      const manager = yield* JobManager.JobManager
      for (let seed = 1; seed <= 200; seed++) {
        const id = yield* manager.start(config)
        yield* Effect.yieldNow()
        const stops = Effect.zip(manager.stop(id, { grace: "2 millis" }), manager.stop(id, { grace: "1 minute" }), {
          concurrent: true
        })
        const [one, other] = yield* Effect.flatten(Fiber.await(yield* Effect.fork(interleaved(seed)(stops))))
        expect(one.status).toBe("cancelled")
        expect(one.mode, `seed ${seed}`).toBe(other.mode)
        expect(Duration.lessThan(one.elapsed, "30 seconds"), `seed ${seed}: ${Duration.format(one.elapsed)}`).toBe(true)
      }
    }).pipe(
      Effect.provide(
        JobManager.layer({ maxJobs: 1 }).pipe(
          Layer.provideMerge(RunStore.layerMemory),
          // It takes all the time that it is given.
          Layer.provide(Orchestrator.layer((job) => Effect.onInterrupt(Effect.never, () => job.graceOver)))
        )
      )
    )
  )

  it.effect("continues for the other callers when the first one is interrupted", () =>
    Effect.gen(function* () {
      const manager = yield* JobManager.JobManager
      const { began } = yield* ScriptedOrchestrator.ScriptedOrchestrator
      const id = yield* manager.start(config)
      yield* began(id)
      const first = yield* Effect.fork(manager.stop(id))
      yield* Effect.yieldNow()
      const second = yield* Effect.fork(manager.stop(id))
      yield* Effect.yieldNow()
      yield* Fiber.interruptFork(first)
      yield* TestClock.adjust("1 second")
      expect((yield* Fiber.join(second)).status).toBe("cancelled")
    }).pipe(Effect.provide(TestManager.layer({ script: () => [Step.cleanUp("1 second")] })))
  )

  it.effect("times out one second after the grace period; the job keeps its permit until it ends", () =>
    Effect.gen(function* () {
      const manager = yield* JobManager.JobManager
      const { began } = yield* ScriptedOrchestrator.ScriptedOrchestrator
      const id = yield* manager.start(config)
      yield* began(id)
      const stopping = yield* Effect.fork(Effect.flip(manager.stop(id, { grace: "10 seconds" })))
      yield* TestClock.adjust("10999 millis")
      expect(Option.isNone(yield* Fiber.poll(stopping))).toBe(true)
      yield* TestClock.adjust("1 millis")
      const error = yield* Fiber.join(stopping)
      expect(error).toMatchObject({ _tag: "StopTimedOut", jobId: id })
      expect(error.message).toContain("is still running 11s after the stop request")

      const job = yield* Effect.flatten(manager.get(id))
      expect(job.phase).toBe("stopping")
      expect((yield* Effect.flip(manager.start(config)))._tag).toBe("MaxJobsReached")

      // It ends in the end, and a later stop tells so.
      const again = yield* Effect.fork(manager.stop(id, { grace: "1 hour" }))
      yield* TestClock.adjust("1 minute")
      expect(yield* Fiber.join(again)).toMatchObject({ status: "cancelled" })
      yield* manager.start(config)
      yield* TestClock.adjust("1 minute")
      expect(yield* types(id)).toEqual(["job.started", "job.stopping", "job.cancelled"])
    }).pipe(Effect.provide(TestManager.layer({ maxJobs: 1, script: () => [Step.ignoreInterruption("1 minute")] })))
  )

  it.effect("passes the grace period to the orchestrator", () =>
    Effect.gen(function* () {
      const graces = yield* Ref.make<ReadonlyArray<number>>([])
      const Asking = Orchestrator.layer((job) => {
        const note = Effect.suspend(() => Ref.update(graces, (all) => [...all, Duration.toSeconds(job.grace)]))
        return Effect.acquireRelease(note, () => note).pipe(Effect.zipRight(Effect.never))
      })
      yield* Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        const id = yield* manager.start(config)
        yield* Effect.yieldNow()
        yield* manager.stop(id, { grace: "42 seconds" })
        expect(yield* Ref.get(graces)).toEqual([7, 42])
      }).pipe(
        Effect.provide(JobManager.layer({ stopGrace: "7 seconds" }).pipe(Layer.provide([Asking, RunStore.layerMemory])))
      )
    })
  )

  it.effect("reports forced and alreadyEnded", () =>
    Effect.gen(function* () {
      const manager = yield* JobManager.JobManager
      const { began, send } = yield* ScriptedOrchestrator.ScriptedOrchestrator
      const id = yield* manager.start(config)
      yield* began(id)
      expect(yield* manager.stop(id)).toMatchObject({ mode: "forced", status: "cancelled" })
      expect(yield* manager.stop(id)).toMatchObject({ mode: "alreadyEnded", status: "cancelled" })
      const other = yield* manager.start(config)
      yield* send(other, Step.succeed(1))
      yield* manager.await(other)
      expect(yield* manager.stop(other)).toMatchObject({ mode: "alreadyEnded", status: "completed" })
    }).pipe(Effect.provide(TestManager.layer({ script: () => [Step.forced] })))
  )

  it.effect("reports a job that fails by itself while it is being stopped as graceful: it had not ended before", () =>
    Effect.gen(function* () {
      const begun = yield* Deferred.make<void>()
      const failing = Effect.uninterruptibleMask((restore) =>
        Deferred.succeed(begun, undefined).pipe(
          Effect.zipRight(Effect.exit(restore(Effect.never))),
          Effect.zipRight(Effect.fail("broken"))
        )
      )
      yield* Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        const id = yield* manager.start(config)
        yield* Deferred.await(begun)
        expect(yield* manager.stop(id)).toMatchObject({ mode: "graceful", status: "failed" })
        expect(yield* manager.stop(id)).toMatchObject({ mode: "alreadyEnded", status: "failed" })
      }).pipe(
        Effect.provide(
          JobManager.layer().pipe(Layer.provide([Orchestrator.layer(() => failing), RunStore.layerMemory]))
        )
      )
    })
  )
})

describe("stop report", () => {
  const processes = (from: number, count: number) =>
    Array.from({ length: count }, (_, i) => ({ pid: from + i, command: "sleep" }))
  const reported = (...script: ReadonlyArray<Step.Step>) =>
    Effect.gen(function* () {
      const manager = yield* JobManager.JobManager
      const { began } = yield* ScriptedOrchestrator.ScriptedOrchestrator
      const id = yield* manager.start(config)
      yield* began(id)
      return yield* manager.stop(id)
    }).pipe(Effect.provide(TestManager.layer({ script: () => script })))

  it.effect("names the processes that were killed", () =>
    Effect.gen(function* () {
      const report = yield* reported(Step.killed(processes(1, 2)), Step.forced, Step.killed(processes(7, 1)))
      const killed = [...processes(1, 2), ...processes(7, 1)]
      expect(report).toMatchObject({ mode: "forced", killed })
      expect(Schema.encodeSync(StopReport.StopReport)(report)).toMatchObject({ mode: "forced", killed })
    })
  )

  it.effect("names at most 100 processes", () =>
    Effect.gen(function* () {
      const report = yield* reported(Step.killed(processes(1, 99)), Step.killed(processes(200, 99)))
      expect(report.killed).toEqual([...processes(1, 99), ...processes(200, 1)])
    })
  )

  it.effect("names no process where none was killed or named", () =>
    Effect.gen(function* () {
      expect(yield* reported()).not.toHaveProperty("killed")
      expect(yield* reported(Step.forced)).not.toHaveProperty("killed")
    })
  )
})

describe("stop during a finalizer", () => {
  /** Closes a scope with two slow finalizers, and then would go on for ever. */
  const tidyingUp = () =>
    Effect.gen(function* () {
      const second = yield* Deferred.make<void>()
      const Tidying = Orchestrator.layer(() =>
        Effect.scoped(
          Effect.zipRight(
            Effect.addFinalizer(() => Effect.zipRight(Deferred.succeed(second, undefined), Effect.sleep("1 second"))),
            Effect.addFinalizer(() => Effect.sleep("1 second"))
          )
        ).pipe(Effect.zipRight(Effect.never))
      )
      return {
        second: Deferred.await(second),
        layer: JobManager.layer().pipe(Layer.provide([Tidying, RunStore.layerMemory]))
      }
    })

  it.effect("is not lost, and neither is the interruption by a closing layer", () =>
    Effect.gen(function* () {
      for (const end of ["stop", "close"]) {
        const { layer, second } = yield* tidyingUp()
        const ended = yield* Effect.fork(
          Effect.gen(function* () {
            const manager = yield* JobManager.JobManager
            const id = yield* manager.start(config)
            yield* second
            return end === "stop" ? (yield* manager.stop(id)).status : "interrupted"
          }).pipe(Effect.provide(layer))
        )
        yield* TestClock.adjust("1 second")
        yield* Effect.yieldNow()
        yield* TestClock.adjust("1 second")
        expect(yield* Fiber.join(ended)).toBe(end === "stop" ? "cancelled" : "interrupted")
      }
    })
  )
})

describe("stopAll", () => {
  it.effect("stops all at the same time: 30 jobs with finalizers of 300 ms take under a second", () =>
    Effect.gen(function* () {
      const manager = yield* JobManager.JobManager
      const { began } = yield* ScriptedOrchestrator.ScriptedOrchestrator
      const ids = yield* Effect.replicateEffect(manager.start(config), 30)
      yield* Effect.forEach(ids, (id) => began(id))
      const begun = yield* Clock.currentTimeMillis
      const stopping = yield* Effect.fork(manager.stopAll)
      yield* TestClock.adjust("300 millis")
      const reports = yield* Fiber.join(stopping)
      expect((yield* Clock.currentTimeMillis) - begun).toBeLessThan(1_000)
      expect(reports.map(({ status }) => status)).toEqual(ids.map(() => "cancelled"))
    }).pipe(Effect.provide(TestManager.layer({ maxJobs: 30, script: () => [Step.cleanUp("300 millis")] })))
  )

  it.effect("reports the stubborn ones as timed out, under one deadline", () =>
    Effect.gen(function* () {
      const manager = yield* JobManager.JobManager
      const { began } = yield* ScriptedOrchestrator.ScriptedOrchestrator
      const ids = yield* Effect.replicateEffect(manager.start(config), 3)
      yield* Effect.forEach(ids, (id) => began(id))
      const stopping = yield* Effect.fork(manager.stopAll)
      yield* TestClock.adjust("6 seconds")
      const reports = yield* Fiber.join(stopping)
      expect(reports.map(({ mode, status }) => [mode, status])).toEqual(ids.map(() => ["timedOut", "running"]))
      expect(yield* manager.activeCount).toBe(3)
      yield* TestClock.adjust("1 minute")
      expect(yield* manager.activeCount).toBe(0)
    }).pipe(Effect.provide(TestManager.layer({ script: () => [Step.ignoreInterruption("1 minute")] })))
  )
})
