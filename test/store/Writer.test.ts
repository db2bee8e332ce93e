import { describe, expect, it } from "@effect/vitest"
import { Database, RunStore } from "charlotte"
import { Effect, Exit, Fiber, Layer, Option, Ref, Scope } from "effect"
import { RealClock } from "../../src/internal/RealClock.js"
import * as FailingSql from "../support/FailingSql.js"
import * as TemporaryDirectory from "../support/TemporaryDirectory.js"
import { at, created, event, id, log, newRun } from "./runs.js"

const layer = RunStore.layer.pipe(Layer.provideMerge(FailingSql.layer({ filename: ":memory:" })))

const all = { concurrency: "unbounded" } as const

const runs = (count: number) => Array.from({ length: count }, (_, n) => newRun(n))

const rows = (count: number) => Array.from({ length: count }, (_, n) => event("x", n))

const commits = Effect.map(
  Effect.flatMap(FailingSql.FailingSql, ({ statements }) => statements),
  (statements) => statements.filter((sql) => sql === "COMMIT").length
)

describe("Writer", () => {
  it.effect("commits concurrent writes in one transaction", () =>
    Effect.gen(function* () {
      const store = yield* RunStore.RunStore
      const { clear } = yield* FailingSql.FailingSql
      yield* clear
      yield* Effect.forEach(runs(1_000), store.create, all)
      expect(yield* commits).toBeLessThan(10)
      yield* clear
      // A single write does not wait for others.
      yield* store.append({ jobId: id(1), attempt: 1, events: rows(1) })
      expect(yield* commits).toBe(1)
    }).pipe(Effect.provide(layer))
  )

  it.scoped("acknowledges a write only after its commit", () =>
    Effect.gen(function* () {
      const store = yield* RunStore.RunStore
      const { hold } = yield* FailingSql.FailingSql
      const commit = yield* hold(/^COMMIT$/)
      const writes = yield* Effect.forEach(runs(3), (run) => Effect.forkScoped(store.create(run)))
      yield* commit.reached
      yield* Effect.flatMap(RealClock, ({ turn }) => turn)
      expect(yield* Effect.forEach(writes, Fiber.poll)).toEqual([Option.none(), Option.none(), Option.none()])
      yield* commit.release
      yield* Effect.forEach(writes, Fiber.join)
      expect(yield* store.list()).toHaveLength(3)
    }).pipe(Effect.provide(layer))
  )

  it.scoped("batches the writes that arrive during a transaction into the next", () =>
    Effect.gen(function* () {
      const store = yield* RunStore.RunStore
      const { clear, hold } = yield* FailingSql.FailingSql
      yield* clear
      const commit = yield* hold(/^COMMIT$/)
      const first = yield* Effect.forkScoped(store.create(newRun(0)))
      yield* commit.reached
      const others = yield* Effect.forEach(runs(100).slice(1), (run) => Effect.forkScoped(store.create(run)))
      yield* Effect.yieldNow()
      yield* commit.release
      yield* Fiber.join(first)
      yield* Effect.forEach(others, Fiber.join)
      expect(yield* commits).toBe(2)
    }).pipe(Effect.provide(layer))
  )

  it.effect("applies several changes of one job in one transaction, in order", () =>
    Effect.gen(function* () {
      const store = yield* RunStore.RunStore
      const { clear } = yield* FailingSql.FailingSql
      const job = { jobId: yield* created(1), attempt: 1 }
      yield* clear
      yield* Effect.all(
        [
          store.record({ ...job, type: "job.interrupted", at: at(3), crashed: true }),
          store.begin({ ...job, attempt: 2, key: undefined, at: at(4) }),
          store.append({ ...job, attempt: 2, events: rows(2) }),
          store.record({ ...job, attempt: 2, type: "job.stopping", at: at(5) })
        ],
        all
      )
      const late = yield* Effect.either(store.append({ ...job, events: rows(1) }))
      yield* store.record({ ...job, attempt: 2, type: "job.cancelled", at: at(6) })
      expect(yield* commits).toBe(3)
      expect(late).toMatchObject({ left: { _tag: "Superseded" } })
      expect(yield* log(job.jobId)).toEqual([
        "1 job.started",
        "2 job.interrupted",
        "3 job.resumed",
        "4 job.stopping",
        "5 x",
        "6 x",
        "7 job.cancelled"
      ])
    }).pipe(Effect.provide(layer))
  )

  it.effect("checks a key after earlier writes of the same transaction", () =>
    Effect.gen(function* () {
      const store = yield* RunStore.RunStore
      const { clear } = yield* FailingSql.FailingSql
      const key = "main"
      const job = { jobId: yield* created(1, { key }), attempt: 1 }
      yield* clear
      const [refused, ended, taken, again] = yield* Effect.all(
        [
          Effect.either(store.create(newRun(2, { key }))),
          Effect.either(store.record({ ...job, type: "job.completed", at: at(2) })),
          Effect.either(store.create(newRun(3, { key }))),
          Effect.either(store.create(newRun(4, { key })))
        ],
        all
      )
      expect(yield* commits).toBe(1)
      expect(refused).toMatchObject({ left: { _tag: "JobConflict", jobId: id(1) } })
      expect([ended, taken].map(({ _tag }) => _tag)).toEqual(["Right", "Right"])
      expect(again).toMatchObject({ left: { _tag: "JobConflict", jobId: id(3) } })
    }).pipe(Effect.provide(layer))
  )

  it.effect("reads the heads of many jobs in one query", () =>
    Effect.gen(function* () {
      const store = yield* RunStore.RunStore
      const { clear, statements } = yield* FailingSql.FailingSql
      yield* Effect.forEach(runs(100), store.create, all)
      yield* clear
      yield* Effect.forEach(runs(100), (run) => store.append({ jobId: run.id, attempt: 1, events: rows(1) }), all)
      expect((yield* statements).length).toBeLessThan(10)
    }).pipe(Effect.provide(layer))
  )

  it.effect("fails only the write that violates a constraint", () =>
    Effect.gen(function* () {
      const store = yield* RunStore.RunStore
      yield* created(1)
      const process = { cookie: "c", attempt: 1, bootId: "b", purpose: "agent", at: at(1) }
      const [again, orphan, ...others] = yield* Effect.all(
        [
          Effect.either(store.create(newRun(1))),
          Effect.either(store.childProcesses.open({ ...process, jobId: id(99) })),
          ...[2, 3, 4].map((n) => Effect.either(store.create(newRun(n))))
        ],
        all
      )
      expect(again).toMatchObject({ left: { _tag: "StoreError", reason: "other", operation: "start a job" } })
      expect(orphan).toMatchObject({ left: { _tag: "StoreError", reason: "other", operation: "record a process" } })
      expect(others.map(({ _tag }) => _tag)).toEqual(["Right", "Right", "Right"])
      expect(yield* store.list()).toHaveLength(4)
      expect(yield* log(id(1))).toEqual(["1 job.started"])
    }).pipe(Effect.provide(layer))
  )

  it.effect("rejects a write without affecting others in its transaction", () =>
    Effect.gen(function* () {
      const store = yield* RunStore.RunStore
      yield* created(1, { key: "a" })
      const { clear } = yield* FailingSql.FailingSql
      yield* clear
      const outcomes = yield* Effect.all(
        [
          Effect.either(store.create(newRun(2))),
          Effect.either(store.create(newRun(3, { key: "a" }))),
          Effect.either(store.append({ jobId: id(1), attempt: 2, events: rows(1) })),
          Effect.either(store.record({ type: "job.completed", jobId: id(1), attempt: 1, at: at(9) }))
        ],
        all
      )
      expect(outcomes.map(({ _tag }) => _tag)).toEqual(["Right", "Left", "Left", "Right"])
      expect(yield* commits).toBe(1)
    }).pipe(Effect.provide(layer))
  )

  it.effect("writes state changes ahead of a backlog of emitted events", () =>
    Effect.gen(function* () {
      const store = yield* RunStore.RunStore
      yield* created(1)
      yield* created(2)
      const written = yield* Ref.make(0)
      const append = Effect.zipRight(
        store.append({ jobId: id(1), attempt: 1, events: rows(1_000) }),
        Ref.update(written, (n) => n + 1_000)
      )
      const backlog = yield* Effect.fork(Effect.replicateEffect(append, 60, all))
      yield* Effect.yieldNow()
      yield* store.record({ type: "job.completed", jobId: id(2), attempt: 1, at: at(9) })
      expect(yield* Ref.get(written)).toBeLessThan(10_000)
      yield* Fiber.join(backlog)
    }).pipe(Effect.provide(layer))
  )

  it.effect("yields to other fibers between two transactions", () =>
    Effect.gen(function* () {
      const store = yield* RunStore.RunStore
      const { clear } = yield* FailingSql.FailingSql
      const { turn } = yield* RealClock
      yield* created(1)
      yield* clear
      let turns = 0
      const heart = yield* Effect.fork(Effect.forever(Effect.map(turn, () => (turns += 1))))
      yield* Effect.replicateEffect(store.append({ jobId: id(1), attempt: 1, events: rows(1_000) }), 60, all)
      yield* Fiber.interrupt(heart)
      expect(yield* commits).toBeGreaterThan(10)
      expect(turns).toBeGreaterThanOrEqual(yield* commits)
    }).pipe(Effect.provide(layer))
  )
})

describe("closing the store", () => {
  const open = (filename: string) =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(
        RunStore.layer.pipe(Layer.provide(Database.layer({ filename }))),
        scope
      )
      return { close: Scope.close(scope, Exit.void), store: yield* Effect.provide(RunStore.RunStore, context) }
    })

  it.scoped("drains accepted writes, and rejects later ones", () =>
    Effect.gen(function* () {
      const filename = yield* TemporaryDirectory.file("test.db")
      const { close, store } = yield* open(filename)
      const writes = yield* Effect.forEach(runs(200), (run) => Effect.forkScoped(store.create(run)))
      yield* Effect.yieldNow()
      yield* close
      yield* Effect.forEach(writes, Fiber.join)
      const error = yield* Effect.flip(store.create(newRun(200)))
      expect(error).toMatchObject({ _tag: "StoreError", reason: "closed", operation: "start a job" })

      const again = yield* open(filename)
      expect(yield* again.store.list({ limit: 1_000 })).toHaveLength(200)
      yield* again.close
    })
  )

  it.scoped("stops the writer, even when the store was opened in an uninterruptible region", () =>
    Effect.gen(function* () {
      const { close, store } = yield* Effect.uninterruptible(open(yield* TemporaryDirectory.file("test.db")))
      yield* store.create(newRun(1))
      yield* close
    })
  )

  it.scoped("fails later reads", () =>
    Effect.gen(function* () {
      const { close, store } = yield* open(":memory:")
      yield* close
      expect(yield* Effect.flip(store.get(id(1)))).toMatchObject({ _tag: "StoreError", reason: "closed" })
    })
  )
})
