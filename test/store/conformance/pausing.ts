import { describe, expect, it } from "@effect/vitest"
import { Run, RunStore } from "charlotte"
import { Effect, type Layer, Option } from "effect"
import { at, created, error, id, kind, log, newRun, record } from "../runs.js"

const statuses = ["interrupted", "parked", "pending"] as const

const paused = Effect.flatMap(RunStore.RunStore, ({ kinds }) => kinds.pause({ kind, at: at(5), by: "ann" }))

const due = Effect.flatMap(RunStore.RunStore, (store) =>
  Effect.map(store.due({ kind, statuses, limit: 9 }), (runs) => runs.map(({ run }) => run.id))
)

const refusal = { _tag: "KindPaused", kind }

export const pausing = (layer: Layer.Layer<RunStore.RunStore>) => {
  describe("a pause of a kind", () => {
    it.effect("is recorded with its time and who asked for it, until it ends", () =>
      Effect.gen(function* () {
        const { kinds } = yield* RunStore.RunStore
        expect(yield* kinds.paused).toEqual([])
        yield* paused
        yield* kinds.pause({ kind, at: at(6), by: "bob" })
        yield* kinds.pause({ kind: "other", at: at(7) })
        expect(yield* kinds.paused).toMatchObject([
          { kind: "other", at: at(7) },
          { kind, at: at(5), by: "ann" }
        ])
        expect(yield* kinds.isPaused(kind)).toBe(true)
        yield* kinds.unpause(kind)
        yield* kinds.unpause(kind)
        expect(yield* kinds.isPaused(kind)).toBe(false)
        expect((yield* kinds.paused).map(({ kind }) => kind)).toEqual(["other"])
      }).pipe(Effect.provide(layer))
    )

    it.effect("is as it is recorded, though it is ended and begun at the same time", () =>
      Effect.gen(function* () {
        const { kinds } = yield* RunStore.RunStore
        const unpaused = kinds.unpause(kind)
        for (const both of [[unpaused, paused] as const, [paused, unpaused] as const]) {
          yield* Effect.all(both, { concurrency: "unbounded" })
          expect(yield* kinds.isPaused(kind)).toBe((yield* kinds.paused).length === 1)
          yield* paused
        }
      }).pipe(Effect.provide(layer))
    )

    it.effect("lets no new run begin, with or without keys, and leaves nothing of it", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        yield* paused
        for (const with_ of [{}, { startKey: "a" }, { idempotency: { key: "k", request: "r" } }]) {
          expect(yield* Effect.flip(store.create(newRun(1, with_)))).toMatchObject(refusal)
        }
        expect(yield* store.list()).toEqual([])
        expect(yield* store.create(newRun(2, { kind: "other" }))).toEqual({ _tag: "Running" })
        yield* store.kinds.unpause(kind)
        expect(yield* store.create(newRun(3, { startKey: "a" }))).toEqual({ _tag: "Running" })
      }).pipe(Effect.provide(layer))
    )

    it.effect("answers with a known run, and records runs that wait, which wait for its end", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        const idempotency = { key: "k", request: "r" }
        yield* created(1, { idempotency, startKey: "a" })
        yield* paused
        expect(yield* store.create(newRun(2, { idempotency }))).toEqual({ _tag: "Existing", id: id(1) })
        expect(yield* store.create(newRun(3, { startKey: "a", whenKeyTaken: "attach" }))).toMatchObject({ id: id(1) })
        yield* created(4, { isQueued: true })
        yield* created(5, { startKey: "a", whenKeyTaken: "queue" })
        yield* created(6, { startAt: at(9_000) })
        const waits = Effect.forEach([4, 5, 6], (n) => Effect.map(record(id(n)), ({ waitsFor }) => waitsFor))
        expect(yield* waits).toEqual(["paused", "key", "time"])
        expect(
          (yield* store.list({ kind, status: "pending", order: "queue" })).map(({ waitsFor }) => waitsFor)
        ).toContain("paused")
        yield* store.kinds.unpause(kind)
        expect(yield* waits).toEqual(["permit", "key", "time"])
      }).pipe(Effect.provide(layer))
    )

    it.effect("lets no attempt of a waiting run begin, and none is due", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        yield* created(1, { isQueued: true })
        yield* created(2)
        yield* created(3)
        yield* store.record({ type: "job.interrupted", jobId: id(2), attempt: 1, at: at(3) })
        yield* paused
        expect(yield* due).toEqual([])
        const begin = (n: number, attempt: number) => store.begin({ jobId: id(n), attempt, key: undefined, at: at(6) })
        expect(yield* Effect.flip(begin(1, 1))).toMatchObject(refusal)
        expect(yield* Effect.flip(begin(2, 2))).toMatchObject(refusal)
        expect(yield* log(id(2))).toEqual(["1 job.started", "2 job.interrupted"])
        expect(yield* record(id(2))).toMatchObject({ status: "interrupted", attempt: 1, waitsFor: "paused" })
        yield* store.record({ type: "job.failed", jobId: id(3), attempt: 1, at: at(7), error })
        yield* store.kinds.unpause(kind)
        expect(yield* due).toEqual([id(2), id(1)])
        expect(yield* begin(2, 2)).toBe("running")
      }).pipe(Effect.provide(layer))
    )

    it.effect("lets an attempt for a stop begin, also behind many that wait", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        for (let n = 1; n <= 12; n++) yield* created(n)
        for (let n = 1; n <= 12; n++) {
          const change = { jobId: id(n), attempt: 1, at: at(3) }
          yield* store.record(
            n <= 10
              ? { ...change, type: "job.interrupted" }
              : { ...change, type: "job.parked", parked: new Run.Parked({ reason: "waits", signal: "go" }) }
          )
        }
        yield* paused
        yield* store.wake(id(11))
        yield* store.wake(id(12), "stop", { by: "ann" })
        expect(yield* due).toEqual([id(12)])
        expect(yield* record(id(11))).toMatchObject({ waitsFor: "paused" })
        expect(yield* record(id(12))).toMatchObject({ waitsFor: "permit" })
        const begin = (n: number) => store.begin({ jobId: id(n), attempt: 2, key: undefined, at: at(6) })
        expect(yield* Effect.flip(begin(11))).toMatchObject(refusal)
        expect(yield* begin(12)).toBe("stopping")
        yield* store.kinds.unpause(kind)
        expect((yield* due).slice(0, 2)).toEqual([id(1), id(2)])
      }).pipe(Effect.provide(layer))
    )

    it.effect("notifies the manager of its end", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        const { due } = yield* store.waiting(kind)
        yield* created(1, { isQueued: true })
        yield* paused
        const version = yield* due.version
        yield* store.kinds.unpause(kind)
        yield* due.changed(version)
      }).pipe(Effect.provide(layer))
    )

    it.effect("holds on the nodes of a cluster", () =>
      Effect.gen(function* () {
        const { cluster, kinds } = yield* RunStore.RunStore
        const node = { node: "127.0.0.1:1/1", address: "127.0.0.1:1", capacity: 9 }
        yield* cluster.join({ ...node, id: node.node, kind, pid: 1, machine: "a machine" })
        yield* cluster.limit({ kind, maxJobs: 9 })
        const admit = (n: number, whenFull: "refuse" | "queue") =>
          cluster.admit(newRun(n), {
            candidates: [{ id: id(n), address: node.address, capacity: 9 }],
            whenFull,
            waiting: statuses
          })
        yield* paused
        expect(yield* Effect.flip(admit(1, "refuse"))).toMatchObject(refusal)
        expect(yield* admit(2, "queue")).toMatchObject({ created: { _tag: "Pending" } })
        const beginning = { jobId: id(2), attempt: 1, key: undefined, at: at(6) }
        expect(yield* Effect.flip(cluster.begin(beginning, node))).toMatchObject(refusal)
        expect(yield* Effect.flip(cluster.place(beginning, [node]))).toMatchObject(refusal)
        yield* kinds.unpause(kind)
        expect(yield* cluster.place(beginning, [node])).toEqual(Option.some(node.address))
        expect(yield* admit(3, "refuse")).toMatchObject({ created: { _tag: "Running" } })
      }).pipe(Effect.provide(layer))
    )
  })
}
