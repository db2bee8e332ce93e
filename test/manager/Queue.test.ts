/** Runs that wait for a permit or for a time. */
import { describe, expect, it } from "@effect/vitest"
import { errors, type JobId, JobManager, RunStore } from "charlotte"
import { ScriptedOrchestrator, Step } from "charlotte/testing"
import { Chunk, DateTime, Deferred, Duration, Effect, Either, Fiber, Layer, Option, Ref, TestClock } from "effect"
import { RealClock } from "../../src/internal/RealClock.js"
import { newRun } from "../store/runs.js"
import { config } from "../support/jobs.js"
import { databaseFile, life, statusOf, typesOf } from "./lives.js"

const { JobManager: Manager } = JobManager
const Script = ScriptedOrchestrator.ScriptedOrchestrator

const complete = (id: JobId.JobId) =>
  Effect.gen(function* () {
    const { began, send } = yield* Script
    yield* began(id)
    yield* send(id, Step.succeed("done"))
    return yield* Effect.flatMap(Manager, (manager) => manager.await(id))
  })

const runOf = (id: JobId.JobId) => Effect.flatMap(RunStore.RunStore, (store) => Effect.flatten(store.get(id)))

/** A store that runs an effect when a read next finds nothing, before that read returns: it misses what the effect commits. */
const missing = (read: "due" | "nextDueAt", next: Ref.Ref<Effect.Effect<void>>) =>
  Layer.effect(
    RunStore.RunStore,
    Effect.map(RunStore.RunStore, (store) => {
      const runNext = Effect.flatten(Ref.getAndSet(next, Effect.void))
      const due: typeof store.due = (query) =>
        Effect.tap(store.due(query), (runs) => (runs.length === 0 ? runNext : Effect.void))
      const nextDueAt: typeof store.nextDueAt = (kind) =>
        Effect.tap(store.nextDueAt(kind), (at) => (Option.isNone(at) ? runNext : Effect.void))
      return { ...store, ...(read === "due" ? { due } : { nextDueAt }) }
    })
  )

const layer = (
  options: JobManager.LayerOptions & ScriptedOrchestrator.Options = {},
  wrapped: Layer.Layer<RunStore.RunStore, never, RunStore.RunStore> = Layer.context()
) =>
  JobManager.layer({ maxJobs: 1, ...options }).pipe(
    Layer.provide(wrapped),
    Layer.provideMerge(Layer.merge(RunStore.layerMemory, ScriptedOrchestrator.layer(options)))
  )

describe('start with whenFull "queue"', () => {
  it.scoped("records a pending run, which begins when a permit is free", () =>
    Effect.gen(function* () {
      const manager = yield* Manager
      const first = yield* manager.start(config)
      const second = yield* manager.start(config, { whenFull: "queue" })
      expect(yield* runOf(second)).toMatchObject({ status: "pending", waitsFor: "permit", attempt: 1 })
      expect(yield* manager.list).toEqual([first])
      expect(yield* manager.activeCount).toBe(1)
      expect(Option.isNone(yield* manager.get(second))).toBe(true)
      const awaited = yield* Effect.fork(manager.await(second))
      yield* complete(first)
      yield* complete(second)
      expect(yield* Fiber.join(awaited)).toMatchObject({ status: "completed", attempt: 1, priority: 0 })
      expect(yield* typesOf(second)).toEqual(["job.queued", "job.started", "job.completed"])
    }).pipe(Effect.provide(layer()))
  )

  it.scoped("runs at once where a permit is free", () =>
    Effect.gen(function* () {
      const manager = yield* Manager
      const id = yield* manager.start(config, { whenFull: "queue" })
      expect(yield* manager.list).toEqual([id])
      expect((yield* runOf(id)).status).toBe("running")
    }).pipe(Effect.provide(layer()))
  )

  it.scoped("begins runs by priority, and those of one priority in the order of their ids", () =>
    Effect.gen(function* () {
      const manager = yield* Manager
      const first = yield* manager.start(config)
      const queued = yield* Effect.forEach([0, 5, -1, 5, 0], (priority) =>
        manager.start(config, { whenFull: "queue", priority })
      )
      yield* complete(first)
      const order: Array<JobId.JobId> = []
      for (const _ of queued) {
        const { began } = yield* Script
        const [id] = yield* Effect.repeat(manager.list, { until: (ids) => ids.length === 1 })
        if (id === undefined) return
        yield* began(id)
        order.push(id)
        yield* complete(id)
      }
      expect(order.map((id) => queued.indexOf(id))).toEqual([1, 3, 0, 4, 2])
    }).pipe(Effect.provide(layer()))
  )

  it.scoped("refuses others while a run that is due waits, also when a permit has just become free", () =>
    Effect.gen(function* () {
      const manager = yield* Manager
      const first = yield* manager.start(config)
      const second = yield* manager.start(config, { whenFull: "queue" })
      yield* complete(first)
      expect(yield* Effect.flip(manager.start(config))).toMatchObject({ _tag: "MaxJobsReached", maxJobs: 1 })
      yield* complete(second)
      yield* complete(yield* manager.start(config))
    }).pipe(Effect.provide(layer()))
  )

  it.scoped("refuses others only while as many runs are due as permits are free, and says which", () =>
    Effect.gen(function* () {
      const manager = yield* Manager
      const { create } = yield* RunStore.RunStore
      const waiting = newRun(1, { config, isQueued: true })
      yield* create(waiting)
      const first = yield* manager.start(config)
      yield* manager.start(config)
      const refused = Effect.flip(manager.start(config))
      expect(yield* refused).toEqual(new errors.MaxJobsReached({ maxJobs: 3, reason: "queue" }))
      // It asks for nothing of the others.
      expect(yield* manager.activeCount).toBe(2)
      yield* manager.stop(waiting.id)
      yield* manager.start(config)
      expect(yield* refused).toEqual(new errors.MaxJobsReached({ maxJobs: 3, reason: "permits" }))
      yield* complete(first)
      yield* manager.start(config)
    }).pipe(Effect.provide(layer({ maxJobs: 3, dispatch: false })))
  )

  it.scoped("refuses more than maxQueued pending runs", () =>
    Effect.gen(function* () {
      const manager = yield* Manager
      yield* manager.start(config)
      const second = yield* manager.start(config, { whenFull: "queue" })
      yield* manager.start(config, { delay: "1 hour" })
      const error = yield* Effect.flip(manager.start(config, { whenFull: "queue" }))
      expect(error).toEqual(new errors.QueueFull({ maxQueued: 2 }))
      yield* manager.stop(second)
      yield* manager.start(config, { whenFull: "queue" })
    }).pipe(Effect.provide(layer({ maxQueued: 2 })))
  )

  it.scoped("is cancelled by a stop, and by stopAll", () =>
    Effect.gen(function* () {
      const manager = yield* Manager
      yield* manager.start(config)
      const [second, third] = yield* Effect.replicateEffect(manager.start(config, { whenFull: "queue" }), 2)
      if (second === undefined || third === undefined) return
      expect(yield* manager.stop(second)).toMatchObject({ status: "cancelled", mode: "graceful" })
      expect(yield* manager.await(second)).toMatchObject({ status: "cancelled" })
      expect((yield* manager.stopAll).map(({ status }) => status)).toEqual(["cancelled", "cancelled"])
      expect(yield* typesOf(third)).toEqual(["job.queued", "job.cancelled"])
    }).pipe(Effect.provide(layer()))
  )
})

describe("start with startAt or delay", () => {
  it.scoped("sleeps once, also for 100 years", () =>
    Effect.gen(function* () {
      const manager = yield* Manager
      const { turn } = yield* RealClock
      const delay = Duration.days(36_500)
      const id = yield* manager.start(config, { delay })
      const sleeps = Effect.repeat(Effect.zipRight(turn, TestClock.sleeps()), { until: Chunk.isNonEmpty })
      expect(Chunk.toReadonlyArray(yield* sleeps)).toEqual([Duration.toMillis(delay)])
      yield* TestClock.adjust(delay)
      expect((yield* complete(id)).status).toBe("completed")
    }).pipe(Effect.provide(layer()))
  )

  it.scoped("needs no permit until its time, and begins then", () =>
    Effect.gen(function* () {
      const manager = yield* Manager
      const id = yield* manager.start(config, { delay: "30 days" })
      expect(yield* runOf(id)).toMatchObject({ status: "pending", waitsFor: "time" })
      yield* complete(yield* manager.start(config))
      yield* TestClock.adjust("29 days")
      expect(yield* statusOf(id)).toBe("pending")
      yield* TestClock.adjust("1 day")
      expect((yield* complete(id)).status).toBe("completed")
    }).pipe(Effect.provide(layer()))
  )

  it.scoped("wakes for an earlier time that comes later", () =>
    Effect.gen(function* () {
      const manager = yield* Manager
      yield* manager.start(config, { delay: "2 hours" })
      const earlier = yield* manager.start(config, { delay: "1 hour" })
      yield* TestClock.adjust("1 hour")
      yield* complete(earlier)
    }).pipe(Effect.provide(layer()))
  )

  it.scoped("of the past means now", () =>
    Effect.gen(function* () {
      const manager = yield* Manager
      const id = yield* manager.start(config, { startAt: DateTime.unsafeMake(-1_000) })
      expect(yield* manager.list).toEqual([id])
    }).pipe(Effect.provide(layer()))
  )
})

describe("a run that comes just after the dispatcher found none", () => {
  it.scoped("begins when a permit is free", () =>
    Effect.gen(function* () {
      const next = yield* Ref.make(Effect.void)
      yield* Effect.gen(function* () {
        const manager = yield* Manager
        const third = yield* Deferred.make<JobId.JobId>()
        const first = yield* manager.start(config)
        const second = yield* manager.start(config, { whenFull: "queue" })
        const start = Effect.orDie(manager.start(config, { whenFull: "queue" }))
        yield* Ref.set(next, Effect.intoDeferred(start, third))
        yield* complete(first)
        // It has the only permit when the dispatcher finds no other run.
        yield* Effect.flatMap(Script, ({ began }) => began(second))
        const id = yield* Deferred.await(third)
        yield* complete(second)
        yield* complete(id)
      }).pipe(Effect.provide(layer({}, missing("due", next))))
    })
  )

  it.scoped("begins when its time has come", () =>
    Effect.gen(function* () {
      const next = yield* Ref.make(Effect.void)
      yield* Effect.gen(function* () {
        const manager = yield* Manager
        const second = yield* Deferred.make<JobId.JobId>()
        const first = yield* manager.start(config, { delay: "1 hour" })
        const start = Effect.orDie(manager.start(config, { delay: "1 hour" }))
        yield* Ref.set(next, Effect.intoDeferred(start, second))
        yield* TestClock.adjust("1 hour")
        yield* complete(first)
        const id = yield* Deferred.await(second)
        yield* TestClock.adjust("1 hour")
        yield* complete(id)
      }).pipe(Effect.provide(layer({}, missing("nextDueAt", next))))
    })
  )
})

describe("startMany", () => {
  it.scoped("queues all in order, and answers for each", () =>
    Effect.gen(function* () {
      const manager = yield* Manager
      const answers = yield* manager.startMany([config, { ...config, repoPath: "relative" }, config], { priority: 3 })
      expect(answers.map(Either.isRight)).toEqual([true, false, true])
      const [first, refused, third] = answers
      expect(refused?.pipe(Either.flip, Either.getOrNull)).toBeInstanceOf(errors.InvalidJobConfig)
      for (const answer of [first, third]) if (answer && Either.isRight(answer)) yield* complete(answer.right)
    }).pipe(Effect.provide(layer()))
  )

  it.scoped("records 2,500 runs in the order of their configurations", () =>
    Effect.gen(function* () {
      const manager = yield* Manager
      const configs = Array.from({ length: 2_500 }, (_, n) => ({ ...config, labels: { n: String(n) } }))
      const answers = yield* manager.startMany(configs, { delay: "1 hour" })
      const ids = answers.flatMap((answer) => (Either.isRight(answer) ? [answer.right] : []))
      expect(ids.length).toBe(2_500)
      expect([...ids].sort()).toEqual(ids)
      const last = ids.at(-1)
      if (last !== undefined) expect((yield* runOf(last)).labels).toEqual({ n: "2499" })
    }).pipe(Effect.provide(layer()))
  )
})

describe("start options", () => {
  const invalid: ReadonlyArray<readonly [what: string, path: string, options: object]> = [
    ["both startAt and delay", "delay", { startAt: DateTime.unsafeMake(1), delay: "1 hour" }],
    ["an infinite delay", "delay", { delay: Duration.infinity }],
    ["a negative delay as text", "delay", { delay: "-1 hour" }],
    ["a negative number as delay", "delay", { delay: -1 }],
    ["negative seconds as delay", "delay", { delay: [-1, 0] }],
    ["a priority that is too high", "priority", { priority: 1_000_001 }],
    ["a priority that is not whole", "priority", { priority: 0.5 }],
    ["NUL in a key", "key", { key: "a\0" }],
    ["an empty key", "key", { key: "" }],
    ["a key of 257 bytes", "key", { key: "x".repeat(257) }],
    ["whenKeyTaken without a key", "whenKeyTaken", { whenKeyTaken: "queue" }],
    ["an unknown value", "whenFull", { whenFull: "wait" }],
    ["an unknown option", "prioritty", { prioritty: 1 }]
  ]
  for (const [what, path, options] of invalid) {
    it.scoped(`refuse ${what}, and name it`, () =>
      Effect.gen(function* () {
        const manager = yield* Manager
        const error = yield* Effect.flip(manager.start(config, options))
        expect(error).toMatchObject({ _tag: "InvalidJobConfig", issues: [{ path: [path] }] })
        expect(yield* manager.activeCount).toBe(0)
      }).pipe(Effect.provide(layer()))
    )
  }
})

describe("pending runs", () => {
  it.scopedLive("keep their order when the manager is closed, and the next one begins them", () =>
    Effect.gen(function* () {
      const file = yield* databaseFile
      const options = { maxJobs: 1 }
      const ids = yield* Effect.gen(function* () {
        const { start, startMany } = yield* Manager
        yield* start(config)
        yield* startMany([config, config])
        const high = yield* start(config, { whenFull: "queue", priority: 1 })
        const runs = yield* Effect.flatMap(RunStore.RunStore, (store) => store.list())
        return { high, ids: runs.map(({ id }) => id).reverse() }
      }).pipe(life(file, options))
      const [running, second, third] = ids.ids
      yield* Effect.gen(function* () {
        const { began, send } = yield* Script
        const manager = yield* Manager
        // The interrupted one has the lower priority.
        for (const [id, attempt] of [
          [ids.high, 1],
          [running, 2],
          [second, 1],
          [third, 1]
        ] as const) {
          if (id === undefined) return
          yield* began(id, attempt)
          expect(yield* manager.list).toEqual([id])
          yield* send(id, Step.succeed("done"))
          yield* manager.await(id)
        }
      }).pipe(life(file, options))
    })
  )
})
