/** Jobs that park, and the signals and times that wake them. */
import { describe, expect, it } from "@effect/vitest"
import { errors, type JobId, JobManager, RunStore } from "charlotte"
import { ScriptedOrchestrator, Step } from "charlotte/testing"
import { DateTime, Deferred, Effect, Fiber, Layer, Option, TestClock } from "effect"
import { RealClock } from "../../src/internal/RealClock.js"
import { config, unknownId } from "../support/jobs.js"
import { crash, databaseFile, eventsOf, life, seen, statusOf, typesOf } from "./lives.js"

const { JobManager: Manager } = JobManager
const Script = ScriptedOrchestrator.ScriptedOrchestrator

const send = (id: JobId.JobId, attempt: number, ...steps: ReadonlyArray<Step.Step>) =>
  Effect.flatMap(Script, (script) => Effect.zipRight(script.began(id, attempt), script.send(id, ...steps)))

const runOf = (id: JobId.JobId) => Effect.flatMap(RunStore.RunStore, (store) => Effect.flatten(store.get(id)))

/** Returns when the job is being ended. */
const stopping = (id: JobId.JobId) =>
  Effect.flatMap(Manager, (manager) =>
    Effect.repeat(
      Effect.zipRight(
        Effect.flatMap(RealClock, ({ turn }) => turn),
        manager.get(id)
      ),
      { until: (job) => job._tag === "Some" && job.value.phase === "stopping" }
    )
  )

const parked = (options: Parameters<typeof Step.park>[0]) =>
  Effect.gen(function* () {
    const id = yield* Effect.flatMap(Manager, ({ start }) => start(config))
    yield* send(id, 1, Step.park(options))
    yield* seen(id, "job.parked")
    return id
  })

const done = (id: JobId.JobId, attempt: number) =>
  Effect.zipRight(
    send(id, attempt, Step.succeed("done")),
    Effect.flatMap(Manager, (manager) => manager.await(id))
  )

const layer = (options: JobManager.LayerOptions & ScriptedOrchestrator.Options = {}) =>
  JobManager.layer({ maxJobs: 1, ...options }).pipe(
    Layer.provideMerge(Layer.merge(RunStore.layerMemory, ScriptedOrchestrator.layer(options)))
  )

describe("a job that parks", () => {
  it.scoped("gives its permit back, and goes on by a signal as its next attempt", () =>
    Effect.gen(function* () {
      const manager = yield* Manager
      const id = yield* parked({ reason: "needs an approval", signal: "approve" })
      expect(yield* runOf(id)).toMatchObject({
        status: "parked",
        attempt: 1,
        waitsFor: "signal",
        parked: { reason: "needs an approval", signal: "approve" }
      })
      expect(yield* manager.activeCount).toBe(0)
      expect(Option.isNone(yield* manager.get(id))).toBe(true)
      yield* done(yield* manager.start(config), 1)
      yield* manager.signal(id, "other")
      expect(yield* statusOf(id)).toBe("parked")
      const awaited = yield* Effect.fork(manager.await(id))
      yield* manager.signal(id, "approve", { by: "Ann" }, { by: "a test" })
      yield* done(id, 2)
      expect(yield* Fiber.join(awaited)).toMatchObject({ status: "completed", attempt: 2 })
      const events = yield* eventsOf(id)
      expect(events.map(({ type }) => type)).toEqual([
        "job.started",
        "job.parked",
        "job.signalled",
        "job.signalled",
        "job.resumed",
        "job.completed"
      ])
      expect(events[3]?.payload).toEqual({ name: "approve", payload: { by: "Ann" }, by: "a test", via: "library" })
    }).pipe(Effect.provide(layer()))
  )

  it.scoped("records all that it waits for with its run", () =>
    Effect.gen(function* () {
      const waiting = {
        reason: "waits for all of it",
        until: DateTime.add(yield* DateTime.now, { hours: 1 }),
        tentative: true,
        signal: "approve",
        approval: { commit: "c", base: "b" },
        questions: 2,
        decisions: 3,
        limits: { usd: 4, tokens: 5 }
      }
      const id = yield* parked(waiting)
      expect((yield* runOf(id)).parked).toMatchObject(waiting)
    }).pipe(Effect.provide(layer()))
  )

  it.scoped("goes on at its time, also after 30 days", () =>
    Effect.gen(function* () {
      const now = yield* DateTime.now
      const id = yield* parked({ reason: "waits", until: DateTime.add(now, { days: 30 }) })
      expect(yield* runOf(id)).toMatchObject({ waitsFor: "time" })
      yield* TestClock.adjust("29 days")
      expect(yield* statusOf(id)).toBe("parked")
      yield* TestClock.adjust("1 day")
      yield* done(id, 2)
    }).pipe(Effect.provide(layer()))
  )

  it.scoped("goes on at once for a signal that has come before", () =>
    Effect.gen(function* () {
      const manager = yield* Manager
      const id = yield* manager.start(config)
      yield* manager.signal(id, "go", 7)
      const read = yield* Deferred.make<unknown>()
      yield* send(
        id,
        1,
        Step.park({ reason: "waits", signal: "go" }),
        (job) =>
          Effect.flatMap(job.signal("go"), (payload) =>
            Effect.asVoid(Deferred.succeed(read, Option.getOrNull(payload)))
          ),
        Step.park({ reason: "waits again", signal: "go" })
      )
      expect(yield* Deferred.await(read)).toBe(7)
      // The second park waits for another.
      yield* Effect.flatMap(Script, ({ began }) => began(id, 2))
      yield* seen(id, "job.parked", 2)
      expect(yield* runOf(id)).toMatchObject({ waitsFor: "signal", parked: { reason: "waits again" } })
      yield* manager.signal(id, "go", 8)
      yield* done(id, 3)
    }).pipe(Effect.provide(layer()))
  )

  it.scopedLive(
    "goes on by a signal that has come before, once its last attempt has left, where permits are free",
    () =>
      Effect.gen(function* () {
        const manager = yield* Manager
        const id = yield* manager.start(config)
        yield* manager.signal(id, "go")
        yield* send(id, 1, Step.park({ reason: "waits", signal: "go" }))
        expect(yield* done(id, 2)).toMatchObject({ status: "completed", attempt: 2 })
      }).pipe(Effect.provide(layer({ maxJobs: 3 })))
  )

  it.scoped("uses up no signal when a time or a resume wakes it", () =>
    Effect.gen(function* () {
      const manager = yield* Manager
      const id = yield* parked({ reason: "waits", signal: "go" })
      yield* manager.resume(id)
      yield* Effect.flatMap(Script, ({ began }) => began(id, 2))
      yield* manager.signal(id, "go")
      yield* send(id, 2, Step.park({ reason: "waits", signal: "go" }))
      yield* done(id, 3)
    }).pipe(Effect.provide(layer()))
  )

  it.scoped("waits for a permit where none is free, before pending runs", () =>
    Effect.gen(function* () {
      const manager = yield* Manager
      const id = yield* parked({ reason: "waits", signal: "go" })
      const other = yield* manager.start(config)
      const pending = yield* manager.start(config, { whenFull: "queue" })
      yield* manager.signal(id, "go")
      yield* manager.resume(id)
      expect(yield* runOf(id)).toMatchObject({ status: "parked", waitsFor: "permit" })
      yield* done(other, 1)
      yield* done(id, 2)
      yield* done(pending, 1)
    }).pipe(Effect.provide(layer()))
  )

  it.scoped("runs its finalizers, and is cancelled by a stop", () =>
    Effect.gen(function* () {
      const manager = yield* Manager
      const id = yield* manager.start(config)
      yield* send(id, 1, Step.cleanUp("1 second"), Step.park({ reason: "waits", signal: "go" }))
      const stopped = yield* Effect.fork(Effect.zipRight(stopping(id), manager.stop(id)))
      yield* stopping(id)
      yield* Effect.yieldNow()
      yield* TestClock.adjust("1 second")
      expect(yield* Fiber.join(stopped)).toMatchObject({ status: "cancelled", mode: "graceful" })
      expect(yield* typesOf(id)).toEqual(["job.started", "job.parked", "job.cancelled"])
    }).pipe(Effect.provide(layer()))
  )

  it.scoped("may park in a child fiber; work that fails all the same has failed", () =>
    Effect.gen(function* () {
      const manager = yield* Manager
      const id = yield* manager.start(config)
      yield* send(id, 1, (job) =>
        Effect.zipRight(Effect.fork(job.park({ reason: "waits", signal: "go" })), Effect.never)
      )
      yield* seen(id, "job.parked")
      yield* manager.signal(id, "go")
      yield* send(id, 2, (job) =>
        Effect.onInterrupt(job.park({ reason: "waits", signal: "go" }), () => Effect.die("broken"))
      )
      expect((yield* manager.await(id)).status).toBe("failed")
    }).pipe(Effect.provide(layer()))
  )

  it.scoped("without a time and a signal is a defect", () =>
    Effect.gen(function* () {
      const manager = yield* Manager
      const id = yield* manager.start(config)
      // @ts-expect-error -- it needs a time or a signal
      yield* send(id, 1, Step.park({ reason: "waits" }))
      expect(yield* manager.await(id)).toMatchObject({ status: "failed", error: { kind: "defect" } })
    }).pipe(Effect.provide(layer()))
  )

  it.scoped("for a signal that nothing could send is a defect", () =>
    Effect.gen(function* () {
      const manager = yield* Manager
      const id = yield* manager.start(config)
      yield* send(id, 1, Step.park({ reason: "waits", signal: "a b" }))
      expect(yield* manager.await(id)).toMatchObject({ status: "failed", error: { kind: "defect" } })
    }).pipe(Effect.provide(layer()))
  )
})

describe("signal", () => {
  it.scoped("refuses bad names, large payloads, unknown and ended jobs, and more than 1,000", () =>
    Effect.gen(function* () {
      const manager = yield* Manager
      const id = yield* manager.start(config)
      for (const bad of ["", "a b", "x".repeat(65), "charlotte.limits"]) {
        expect(yield* Effect.flip(manager.signal(id, bad))).toBeInstanceOf(errors.InvalidSignal)
      }
      expect(yield* Effect.flip(manager.signal(id, "a", "x".repeat(65_536)))).toBeInstanceOf(errors.InvalidSignal)
      expect(yield* Effect.flip(manager.signal(unknownId, "a"))).toBeInstanceOf(errors.JobNotFound)
      yield* Effect.replicateEffect(manager.signal(id, "a"), 1_000, { concurrency: "unbounded", discard: true })
      expect(yield* Effect.flip(manager.signal(id, "a"))).toEqual(
        new errors.TooManySignals({ jobId: id, limit: 1_000 })
      )
      yield* done(id, 1)
      expect(yield* Effect.flip(manager.signal(id, "a"))).toEqual(
        new errors.JobEnded({ jobId: id, status: "completed" })
      )
    }).pipe(Effect.provide(layer()))
  )
})

describe("parked jobs", () => {
  it.scopedLive("stay parked over the end of their manager, clean or not, and keep their signals", () =>
    Effect.gen(function* () {
      const file = yield* databaseFile
      const id = yield* parked({ reason: "waits", signal: "go" }).pipe(life(file))
      yield* Effect.gen(function* () {
        expect(yield* statusOf(id)).toBe("parked")
        yield* Effect.flatMap(Manager, (manager) => manager.signal(id, "other", 1))
      }).pipe(crash(file))
      yield* Effect.gen(function* () {
        const manager = yield* Manager
        expect(yield* runOf(id)).toMatchObject({ status: "parked", attempt: 1 })
        yield* manager.signal(id, "go")
        const payload = yield* Deferred.make<unknown>()
        yield* send(
          id,
          2,
          (job) =>
            Effect.flatMap(job.signal("other"), (found) =>
              Effect.asVoid(Deferred.succeed(payload, Option.getOrNull(found)))
            ),
          Step.succeed("done")
        )
        expect(yield* Deferred.await(payload)).toBe(1)
        expect(yield* manager.await(id)).toMatchObject({ status: "completed", attempt: 2 })
      }).pipe(life(file))
    })
  )

  it.scopedLive("are parked when the manager closes while they park", () =>
    Effect.gen(function* () {
      const file = yield* databaseFile
      const id = yield* Effect.gen(function* () {
        const manager = yield* Manager
        const id = yield* manager.start(config)
        yield* send(id, 1, Step.cleanUp(50), Step.park({ reason: "waits", signal: "go" }))
        yield* stopping(id)
        return id
      }).pipe(life(file, { stopGrace: "5 seconds" }))
      yield* Effect.gen(function* () {
        expect(yield* statusOf(id)).toBe("parked")
      }).pipe(life(file))
    })
  )
})
