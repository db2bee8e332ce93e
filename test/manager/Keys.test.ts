/** Keys of the caller: at most one job of a kind holds one. And idempotency keys, which have one run. */
import { describe, expect, it } from "@effect/vitest"
import { errors, type JobId, JobManager, type Orchestrator, RunStore } from "charlotte"
import { ScriptedOrchestrator, Step } from "charlotte/testing"
import { DateTime, Effect, Fiber, Layer, Schema, TestClock } from "effect"
import { config } from "../support/jobs.js"
import { databaseFile, life, seen, statusOf, typesOf, withStore } from "./lives.js"

const { JobManager: Manager } = JobManager
const Script = ScriptedOrchestrator.ScriptedOrchestrator

const send = (id: JobId.JobId, ...steps: ReadonlyArray<Step.Step>) =>
  Effect.flatMap(Script, (script) => Effect.zipRight(script.began(id), script.send(id, ...steps)))

const complete = (id: JobId.JobId) =>
  Effect.zipRight(
    send(id, Step.succeed("done")),
    Effect.flatMap(Manager, (manager) => manager.await(id))
  )

const runOf = (id: JobId.JobId) => Effect.flatMap(RunStore.RunStore, (store) => Effect.flatten(store.get(id)))

const layer = (options: JobManager.LayerOptions & ScriptedOrchestrator.Options = {}) =>
  JobManager.layer(options).pipe(
    Layer.provideMerge(Layer.merge(RunStore.layerMemory, ScriptedOrchestrator.layer(options)))
  )

describe("a key that is no text of 1 to 256 bytes", () => {
  // A type checker has not seen what gives it.
  const manage = (of: "check" | "kind", key: string) => {
    const keyOf = (config: string) => (config === "good" ? config : key)
    const orchestrator: Orchestrator.Service<string> = {
      run: () => Effect.never,
      ...(of === "check" && { check: (config) => Effect.succeed({ key: keyOf(config) }) })
    }
    return JobManager.make({
      kind: "keyed",
      config: Schema.String,
      orchestrator,
      ...(of === "kind" && { key: keyOf })
    })
  }
  for (const of of ["check", "kind"] as const) {
    for (const [what, json] of Object.entries({ number: "5", empty: '""', long: `"${"x".repeat(257)}"` })) {
      it.scoped(`refuses a start, which writes nothing, if the ${of} gives it (${what})`, () =>
        Effect.gen(function* () {
          const { list } = yield* RunStore.RunStore
          const manager = yield* manage(of, JSON.parse(json))
          for (const options of [undefined, { delay: "1 day" }] as const) {
            const error = yield* Effect.flip(manager.start("bad", options))
            expect(error).toMatchObject({ _tag: "InvalidJobConfig", issues: [{ path: ["key"] }] })
          }
          expect(yield* list()).toEqual([])
          const id = yield* manager.start("good")
          expect(yield* manager.list).toEqual([id])
        }).pipe(Effect.provide(RunStore.layerMemory))
      )
    }
  }
})

describe("a key that another job holds", () => {
  it.scoped("refuses by default, and names the holder and what it is", () =>
    Effect.gen(function* () {
      const manager = yield* Manager
      const holder = yield* manager.start(config, { key: "a" })
      expect(yield* Effect.flip(manager.start(config, { key: "a" }))).toEqual(
        new errors.JobConflict({ jobId: holder, key: "a", status: "running" })
      )
      yield* send(holder, Step.park({ reason: "waits", signal: "go" }))
      yield* seen(holder, "job.parked")
      const error = yield* Effect.flip(manager.start(config, { key: "a" }))
      expect(error).toMatchObject({ status: "parked" })
      expect(error.message).toContain("resume it, stop it")
      yield* manager.stop(holder)
      yield* manager.start(config, { key: "a" })
    }).pipe(Effect.provide(layer()))
  )

  it.scoped("gives 200 concurrent starts with attach one job", () =>
    Effect.gen(function* () {
      const manager = yield* Manager
      const ids = yield* Effect.all(
        Array.from({ length: 200 }, () => manager.start(config, { key: "a", whenKeyTaken: "attach" })),
        { concurrency: "unbounded" }
      )
      expect(new Set(ids).size).toBe(1)
      expect(yield* manager.list).toEqual(ids.slice(0, 1))
    }).pipe(Effect.provide(layer({ maxJobs: 3 })))
  )

  it.scoped("queues the others behind it, in the order of their ids", () =>
    Effect.gen(function* () {
      const manager = yield* Manager
      const holder = yield* manager.start(config, { key: "a" })
      const second = yield* manager.start(config, { key: "a", whenKeyTaken: "queue" })
      const third = yield* manager.start(config, { key: "a", whenKeyTaken: "queue", priority: 9 })
      const other = yield* manager.start(config, { key: "b" })
      expect(yield* runOf(second)).toMatchObject({ status: "pending", waitsFor: "key" })
      expect(yield* manager.list).toEqual([holder, other])
      yield* complete(holder)
      yield* complete(second)
      yield* complete(third)
    }).pipe(Effect.provide(layer()))
  )

  it.scoped("is not refused for want of a permit by queue, attach and replace", () =>
    Effect.gen(function* () {
      const manager = yield* Manager
      const holder = yield* manager.start(config, { key: "a" })
      expect(yield* manager.start(config, { key: "a", whenKeyTaken: "attach" })).toBe(holder)
      const second = yield* manager.start(config, { key: "a", whenKeyTaken: "queue" })
      const third = yield* manager.start(config, { key: "a", whenKeyTaken: "replace" })
      yield* complete(second)
      yield* complete(third)
      expect(yield* statusOf(holder)).toBe("cancelled")
    }).pipe(Effect.provide(layer({ maxJobs: 1 })))
  )

  it.scoped("is replaced: the holder is stopped, and the new job begins when it has really ended", () =>
    Effect.gen(function* () {
      const manager = yield* Manager
      const holder = yield* manager.start(config, { key: "a" })
      yield* send(holder, Step.cleanUp("2 seconds"), Step.emit({ type: "ready" }))
      yield* Effect.yieldNow()
      const next = yield* manager.start(config, { key: "a", whenKeyTaken: "replace" })
      expect(yield* runOf(next)).toMatchObject({ status: "pending", waitsFor: "key" })
      yield* Effect.repeat(manager.get(holder), {
        until: (job) => job._tag === "Some" && job.value.phase === "stopping"
      })
      yield* TestClock.adjust("2 seconds")
      yield* complete(next)
      expect(yield* typesOf(holder)).toContain("job.stopping")
      expect(yield* statusOf(holder)).toBe("cancelled")
    }).pipe(Effect.provide(layer()))
  )

  it.scoped("is replaced by the latest: an earlier replacement that waits is cancelled, and a queued run is not", () =>
    Effect.gen(function* () {
      const manager = yield* Manager
      const holder = yield* manager.start(config, { key: "a" })
      yield* send(holder, Step.ignoreInterruption("1 second"))
      const queued = yield* manager.start(config, { key: "a", whenKeyTaken: "queue" })
      const earlier = yield* manager.start(config, { key: "a", whenKeyTaken: "replace" })
      const latest = yield* manager.start(config, { key: "a", whenKeyTaken: "replace" })
      expect(yield* statusOf(earlier)).toBe("cancelled")
      expect(yield* statusOf(queued)).toBe("pending")
      yield* TestClock.adjust("1 second")
      yield* complete(queued)
      yield* complete(latest)
    }).pipe(Effect.provide(layer()))
  )

  it.scoped("is passed over a parked holder by replace, which cancels it at once", () =>
    Effect.gen(function* () {
      const manager = yield* Manager
      const holder = yield* manager.start(config, { key: "a" })
      yield* send(holder, Step.park({ reason: "waits", signal: "go" }))
      yield* seen(holder, "job.parked")
      const next = yield* manager.start(config, { key: "a", whenKeyTaken: "replace" })
      expect(yield* statusOf(holder)).toBe("cancelled")
      yield* complete(next)
    }).pipe(Effect.provide(layer()))
  )

  it.scoped("is replaced, and those who await its holder or follow its events learn of it", () =>
    Effect.gen(function* () {
      const manager = yield* Manager
      const holder = yield* manager.start(config, { key: "a" })
      yield* send(holder, Step.park({ reason: "waits", signal: "go" }))
      yield* seen(holder, "job.parked")
      const ended = yield* Effect.fork(manager.await(holder))
      const types = yield* Effect.fork(typesOf(holder))
      yield* Effect.repeatN(Effect.yieldNow(), 100)
      yield* manager.start(config, { key: "a", whenKeyTaken: "replace" })
      expect(yield* Fiber.join(ended)).toMatchObject({ status: "cancelled" })
      expect(yield* Fiber.join(types)).toEqual(["job.started", "job.parked", "job.cancelled"])
    }).pipe(Effect.provide(layer()))
  )

  it.scoped("may be two keys, of the check and of the caller, and a run waits for both", () =>
    Effect.gen(function* () {
      const manager = yield* Manager
      const one = yield* manager.start({ ...config, targetBranch: "one" }, { key: "a" })
      const two = yield* manager.start({ ...config, targetBranch: "two" }, { key: "b" })
      const both = yield* manager.start({ ...config, targetBranch: "one" }, { key: "b", whenKeyTaken: "queue" })
      yield* complete(two)
      expect(yield* runOf(both)).toMatchObject({ status: "pending", waitsFor: "key" })
      yield* complete(one)
      yield* complete(both)
    }).pipe(Effect.provide(layer({ check: ({ targetBranch }) => Effect.succeed({ key: targetBranch }) })))
  )
})

describe("an idempotency key", () => {
  it.scoped("has one run, in whatever status it is, also for 100 concurrent starts", () =>
    Effect.gen(function* () {
      const manager = yield* Manager
      const start = manager.start(config, { idempotencyKey: "i" })
      const ids = yield* Effect.all(
        Array.from({ length: 100 }, () => start),
        { concurrency: "unbounded" }
      )
      expect(new Set(ids).size).toBe(1)
      const [id] = ids
      if (id === undefined) return
      yield* complete(id)
      expect(yield* start).toBe(id)
    }).pipe(Effect.provide(layer({ maxJobs: 2 })))
  )

  it.scoped("is known at capacity, and refuses another configuration and other options", () =>
    Effect.gen(function* () {
      const manager = yield* Manager
      const id = yield* manager.start(config, { idempotencyKey: "i" })
      expect(yield* manager.start({ ...config }, { idempotencyKey: "i" })).toBe(id)
      const reused = new errors.IdempotencyKeyReused({ key: "i", jobId: id })
      expect(yield* Effect.flip(manager.start({ ...config, concurrency: 7 }, { idempotencyKey: "i" }))).toEqual(reused)
      expect(yield* Effect.flip(manager.start(config, { idempotencyKey: "i", priority: 1 }))).toEqual(reused)
    }).pipe(Effect.provide(layer({ maxJobs: 1 })))
  )

  it.scoped("has the job that its request has attached to, also after the end of that job and at capacity", () =>
    Effect.gen(function* () {
      const manager = yield* Manager
      const attach = { key: "a", whenKeyTaken: "attach", idempotencyKey: "i" } as const
      const holder = yield* manager.start(config, { key: "a" })
      expect(yield* manager.start(config, attach)).toBe(holder)
      expect(yield* manager.start(config, { ...attach, idempotencyKey: "j" })).toBe(holder)
      const reused = new errors.IdempotencyKeyReused({ key: "i", jobId: holder })
      expect(yield* Effect.flip(manager.start(config, { idempotencyKey: "i" }))).toEqual(reused)
      yield* complete(holder)
      yield* manager.start(config)
      expect(yield* manager.start(config, attach)).toBe(holder)
      expect(yield* Effect.flip(manager.start(config, { ...attach, priority: 1 }))).toEqual(reused)
    }).pipe(Effect.provide(layer({ maxJobs: 1 })))
  )

  it.scoped("has one job for 100 concurrent requests that attach, while the holder of the key ends", () =>
    Effect.gen(function* () {
      const manager = yield* Manager
      const start = manager.start(config, { key: "a", whenKeyTaken: "attach", idempotencyKey: "i" })
      const holder = yield* manager.start(config, { key: "a" })
      const [ids] = yield* Effect.all(
        [
          Effect.all(
            Array.from({ length: 100 }, (_, n) => Effect.zipRight(Effect.repeatN(Effect.yieldNow(), n), start)),
            { concurrency: "unbounded" }
          ),
          complete(holder)
        ],
        { concurrency: "unbounded" }
      )
      expect(new Set(ids).size).toBe(1)
    }).pipe(Effect.provide(layer()))
  )

  it.scoped("has the job whose key of the check its request has attached to", () =>
    Effect.gen(function* () {
      const manager = yield* Manager
      const holder = yield* manager.start(config)
      const attach = { key: "a", whenKeyTaken: "attach", idempotencyKey: "i" } as const
      expect(yield* manager.start(config, attach)).toBe(holder)
      yield* complete(holder)
      expect(yield* manager.start(config, attach)).toBe(holder)
    }).pipe(Effect.provide(layer({ check: () => Effect.succeed({ key: "checked" }) })))
  )

  it.scoped("of a refused start can be used again", () =>
    Effect.gen(function* () {
      const manager = yield* Manager
      const first = yield* manager.start(config)
      expect(yield* Effect.flip(manager.start(config, { idempotencyKey: "i" }))).toBeInstanceOf(errors.MaxJobsReached)
      yield* complete(first)
      yield* manager.start(config, { idempotencyKey: "i" })
    }).pipe(Effect.provide(layer({ maxJobs: 1 })))
  )
})

describe("keys and pending runs behind them", () => {
  it.scopedLive("leave a holder cancelled, also for its await, that is being replaced as the manager closes", () =>
    Effect.gen(function* () {
      const file = yield* databaseFile
      const { awaited, holder } = yield* Effect.gen(function* () {
        const { await: end, start } = yield* Manager
        const store = yield* RunStore.RunStore
        const holder = yield* start(config, { key: "a" })
        const awaited = yield* Effect.forkDaemon(end(holder))
        yield* Effect.yieldNow()
        // The manager closes before it has begun the stop that a replacing start has recorded.
        yield* store.record({ type: "job.stopping", jobId: holder, attempt: 1, at: DateTime.unsafeMake(0) })
        return { awaited, holder }
      }).pipe(life(file))
      expect(yield* Fiber.join(awaited)).toMatchObject({ status: "cancelled" })
      expect(yield* withStore(file)(statusOf(holder))).toBe("cancelled")
    })
  )

  it.scopedLive("survive the end of their manager", () =>
    Effect.gen(function* () {
      const file = yield* databaseFile
      const [holder, waiting] = yield* Effect.gen(function* () {
        const { start } = yield* Manager
        return [yield* start(config, { key: "a" }), yield* start(config, { key: "a", whenKeyTaken: "queue" })] as const
      }).pipe(life(file))
      yield* Effect.gen(function* () {
        const manager = yield* Manager
        const { began, send } = yield* Script
        yield* began(holder, 2)
        expect(yield* manager.list).toEqual([holder])
        yield* send(holder, Step.succeed("done"))
        yield* began(waiting)
      }).pipe(life(file))
    })
  )
})
