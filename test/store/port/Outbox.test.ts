/**
 * Runs that transactions of the application have inserted, and what may be written about them before they are queued.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, it } from "@effect/vitest"
import { Database, RunStore } from "charlotte"
import { Context, Effect, Fiber, Layer, Option, Schema } from "effect"
import * as TemporaryDirectory from "../../support/TemporaryDirectory.js"
import { at, created, id, insertedInTransaction, kind, log, newRun, record } from "../runs.js"

const layer = RunStore.layer.pipe(Layer.provideMerge(Database.layer({ filename: ":memory:" })))

const outbox = Effect.map(RunStore.RunStore, ({ outbox }) => outbox)

const queue = Effect.flatMap(outbox, ({ queue }) => queue(kind))

const transaction = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) => sql.withTransaction(effect))

const insert = (run: RunStore.NewRun) => Effect.flatMap(outbox, ({ insert }) => insert(run))

/** The first event of a run. */
const first = (n: number) =>
  Effect.flatMap(RunStore.RunStore, (store) =>
    Effect.map(Effect.flatten(store.events({ kind, jobId: id(n), after: 0, limit: 1 })), ({ events }) => events[0])
  )

describe("the outbox", () => {
  it.effect("is emptied by `queue`, which appends job.queued as of the start and says what the run waits for", () =>
    Effect.gen(function* () {
      const store = yield* RunStore.RunStore
      yield* created(1, { startKey: "a" })
      yield* insertedInTransaction(newRun(2))
      yield* insertedInTransaction(newRun(3, { startAt: at(100), priority: 7 }))
      yield* insertedInTransaction(newRun(4, { startKey: "a", whenKeyTaken: "queue" }))
      yield* insertedInTransaction(newRun(5, { kind: "other" }))
      const waiting = yield* store.waiting(kind)
      const before = yield* Effect.all([waiting.due.version, waiting.times.version])
      expect(yield* queue).toBe(3)
      expect(yield* queue).toBe(0)
      expect(yield* first(2)).toMatchObject({ type: "job.queued", at: at(2), payload: { waitsFor: "permit" } })
      expect(yield* first(3)).toMatchObject({
        at: at(3),
        payload: { waitsFor: "time", priority: 7, startAt: "1970-01-01T00:00:00.100Z" }
      })
      expect(yield* first(4)).toMatchObject({ payload: { waitsFor: "key" } })
      expect(yield* Effect.all([waiting.due.version, waiting.times.version])).toEqual(
        before.map((version) => version + 1)
      )
      // It is of another kind, whose manager queues it.
      expect(yield* store.latestCursor).toBe(4)
    }).pipe(Effect.provide(layer))
  )

  it.effect("is emptied by slices of 1,000", () =>
    Effect.gen(function* () {
      yield* transaction(
        Effect.forEach(
          Array.from({ length: 1_001 }, (_, n) => n),
          (n) => insert(newRun(n)),
          { discard: true }
        )
      )
      expect(yield* Effect.all([queue, queue, queue])).toEqual([1_000, 1, 0])
    }).pipe(Effect.provide(layer))
  )

  const writes: Record<string, readonly [(store: RunStore.Service) => Effect.Effect<unknown, unknown>, string]> = {
    begin: [(store) => store.begin({ jobId: id(1), attempt: 1, key: undefined, at: at(9) }), "job.started"],
    record: [(store) => store.record({ type: "job.cancelled", jobId: id(1), attempt: 1, at: at(9) }), "job.cancelled"],
    signal: [
      (store) => store.signal({ kind, jobId: id(1), name: "go", payload: undefined, limit: 9, at: at(9) }),
      "job.signalled"
    ],
    "create of a run that replaces it": [
      (store) => store.create(newRun(2, { startKey: "a", whenKeyTaken: "replace" })),
      "job.cancelled"
    ]
  }
  for (const [name, [write, event]] of Object.entries(writes)) {
    it.effect(`has no run with another event than job.queued: ${name} appends that first`, () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        yield* insertedInTransaction(newRun(1, { startKey: "a" }))
        yield* write(store)
        expect(yield* log(id(1))).toEqual(["1 job.queued", `2 ${event}`])
        expect(yield* queue).toBe(0)
      }).pipe(Effect.provide(layer))
    )
  }

  it.effect("hands a key on to a run in it", () =>
    Effect.gen(function* () {
      const store = yield* RunStore.RunStore
      yield* created(1, { startKey: "a" })
      yield* insertedInTransaction(newRun(2, { startKey: "a", whenKeyTaken: "queue" }))
      yield* store.record({ type: "job.cancelled", jobId: id(1), attempt: 1, at: at(9) })
      expect(yield* record(id(2))).toMatchObject({ status: "pending", waitsFor: "permit" })
      yield* queue
      expect(yield* log(id(2))).toEqual(["1 job.queued"])
    }).pipe(Effect.provide(layer))
  )

  it.effect("notifies those who follow a run of its first event, also where the write about it is refused", () =>
    Effect.gen(function* () {
      const store = yield* RunStore.RunStore
      for (const write of [queue, Effect.flip(store.append({ jobId: id(1), attempt: 1, events: [] }))]) {
        yield* insertedInTransaction(newRun(1))
        const changes = yield* store.changes(id(1))
        const following = yield* Effect.fork(Effect.flatMap(changes.version, changes.changed))
        yield* Effect.yieldNow()
        yield* write
        yield* Fiber.join(following)
        yield* store.record({ type: "job.cancelled", jobId: id(1), attempt: 1, at: at(9) })
        yield* Effect.flatMap(SqlClient.SqlClient, (sql) => sql`DELETE FROM charlotte_runs`)
      }
    }).pipe(Effect.scoped, Effect.provide(layer))
  )

  it.scoped("shows a run to others only after the commit", () =>
    Effect.gen(function* () {
      const filename = yield* TemporaryDirectory.file("jobs.db")
      const here = yield* Layer.build(Layer.provideMerge(RunStore.layer, Database.layer({ filename })))
      const there = yield* Layer.build(Layer.fresh(Layer.provideMerge(RunStore.layer, Database.layer({ filename }))))
      const seen = Effect.map(Context.get(there, RunStore.RunStore).get(id(1)), Option.isSome)
      const inside = transaction(Effect.zipRight(insert(newRun(1)), seen))
      expect(yield* Effect.provide(inside, here)).toBe(false)
      expect(yield* seen).toBe(true)
      expect(yield* Effect.provide(queue, there)).toBe(1)
    })
  )

  it.effect("inserts and reads plain numbers where the application reads 64-bit integers", () =>
    Effect.gen(function* () {
      yield* insertedInTransaction(newRun(1)).pipe(Effect.provideService(SqlClient.SafeIntegers, true))
      expect(yield* queue).toBe(1)
      expect(Schema.is(Schema.Int)((yield* record(id(1))).priority)).toBe(true)
    }).pipe(Effect.provide(layer))
  )
})
