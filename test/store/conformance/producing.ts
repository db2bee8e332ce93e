import { describe, expect, it } from "@effect/vitest"
import { RunStore } from "charlotte"
import { Duration, Effect, Fiber, type Layer } from "effect"
import { at, created, id, kind, newRun, record } from "../runs.js"

const signal = (n: number, name = "go") => ({
  kind,
  jobId: id(n),
  name,
  payload: "1",
  sender: { by: "Ann", via: "socket" },
  limit: 2,
  at: at(9)
})

export const producing = (layer: Layer.Layer<RunStore.RunStore>) => {
  describe("producers", () => {
    it.scoped("submit a pending run, and notify its manager", () =>
      Effect.gen(function* () {
        const { outbox, producers } = yield* RunStore.RunStore
        const submitted = yield* producers.submitted(kind)
        const notified = yield* Effect.fork(Effect.flatMap(submitted.version, submitted.changed))
        yield* Effect.yieldNow()
        expect(yield* producers.submit(newRun(1, { startKey: "a" }))).toBe(id(1))
        yield* Fiber.join(notified)
        expect(yield* record(id(1))).toMatchObject({ status: "pending", waitsFor: "permit" })
        const queued = outbox.queue(kind)
        expect(yield* queued).toBe(1)
      }).pipe(Effect.provide(layer))
    )

    it.effect("decide on keys, idempotency keys and the limit in the transaction of the run", () =>
      Effect.gen(function* () {
        const { producers } = yield* RunStore.RunStore
        const idempotency = { key: "k", request: "r" }
        yield* producers.submit(newRun(1, { startKey: "a", idempotency }))
        expect(yield* producers.submit(newRun(2, { idempotency }))).toBe(id(1))
        expect(yield* Effect.flip(producers.submit(newRun(3, { startKey: "a" })))).toMatchObject({ jobId: id(1) })
        expect(yield* producers.submit(newRun(4, { startKey: "a", whenKeyTaken: "attach" }))).toBe(id(1))
        expect(yield* Effect.flip(producers.submit(newRun(5, { maxQueued: 1 })))).toMatchObject({ maxQueued: 1 })
      }).pipe(Effect.provide(layer))
    )

    it.effect("request that a running job is stopped that a run replaces", () =>
      Effect.gen(function* () {
        const { producers } = yield* RunStore.RunStore
        yield* created(1, { startKey: "a" })
        yield* producers.submit(newRun(2, { startKey: "a", whenKeyTaken: "replace" }))
        expect(yield* producers.requests(kind)).toMatchObject([
          { kind, jobId: id(1), asks: { value: { _tag: "Stop", grace: undefined } } }
        ])
      }).pipe(Effect.provide(layer))
    )

    it.effect("request signals, which are applied once", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        const { producers } = store
        yield* created(1)
        yield* producers.requestSignal(signal(1))
        const [request] = yield* producers.requests(kind)
        const { sender } = signal(1)
        expect(request).toMatchObject({ asks: { value: { _tag: "Signal", name: "go", payload: "1", sender } } })
        yield* store.signal({ ...signal(1), request: request?.seq })
        yield* store.signal({ ...signal(1), request: request?.seq })
        expect(yield* store.signals({ jobId: id(1), after: 0, limit: 9 })).toHaveLength(1)
        expect(yield* producers.requests(kind)).toEqual([])
        yield* producers.requestSignal(signal(1))
        expect(yield* Effect.flip(producers.requestSignal(signal(1)))).toMatchObject({ _tag: "TooManySignals" })
      }).pipe(Effect.provide(layer))
    )

    it.effect("request a signal without a payload", () =>
      Effect.gen(function* () {
        const { producers } = yield* RunStore.RunStore
        yield* created(1)
        yield* producers.requestSignal({ ...signal(1), payload: undefined })
        const asks = { _tag: "Signal", name: "go", payload: undefined }
        expect(yield* producers.requests(kind)).toMatchObject([{ asks: { value: asks } }])
      }).pipe(Effect.provide(layer))
    )

    it.effect("request a stop of a job that has begun, and cancel one that has not", () =>
      Effect.gen(function* () {
        const { lifecycle, producers } = yield* RunStore.RunStore
        const grace = Duration.millis(7)
        const sender = { by: "ada", via: "page" }
        yield* created(1)
        yield* created(2, { isQueued: true, startKey: "a" })
        yield* created(3, { isQueued: true, startKey: "a", whenKeyTaken: "queue" })
        yield* producers.requestStop({ kind, jobId: id(1), grace, sender, at: at(9) })
        yield* producers.requestStop({ kind, jobId: id(2), grace: Duration.micros(1_500n), sender, at: at(9) })
        expect(yield* record(id(1))).toMatchObject({ status: "running" })
        expect(yield* record(id(2))).toMatchObject({ status: "cancelled" })
        expect(yield* record(id(3))).toMatchObject({ waitsFor: "permit" })
        const [first, second] = yield* producers.requests(kind)
        expect(first).toMatchObject({ jobId: id(1), asks: { value: { _tag: "Stop", grace, sender } } })
        expect((yield* lifecycle(id(2))).at(-1)).toMatchObject({ type: "job.cancelled", payload: sender })
        if (first !== undefined) yield* producers.settle(first)
        expect(yield* producers.requests(kind)).toEqual([second])
      }).pipe(Effect.provide(layer))
    )

    it.effect("request that a job is resumed", () =>
      Effect.gen(function* () {
        const { producers } = yield* RunStore.RunStore
        yield* created(1)
        yield* producers.requestResume({ kind, jobId: id(1), sender: { via: "port" }, at: at(9) })
        const [request] = yield* producers.requests(kind)
        expect(request).toMatchObject({ jobId: id(1), asks: { value: { _tag: "Resume", sender: { via: "port" } } } })
        const other = producers.requestResume({ kind: "other", jobId: id(1), at: at(9) })
        expect(yield* Effect.flip(other)).toMatchObject({ _tag: "JobNotFound" })
      }).pipe(Effect.provide(layer))
    )

    it.scoped("have their manager read on when a request is settled, since a read has an upper limit", () =>
      Effect.gen(function* () {
        const { producers } = yield* RunStore.RunStore
        yield* created(1)
        const stop = producers.requestStop({ kind, jobId: id(1), grace: undefined, at: at(9) })
        yield* Effect.replicateEffect(stop, 1_001, { concurrency: "unbounded", discard: true })
        const [first, ...page] = yield* producers.requests(kind)
        expect(page).toHaveLength(999)
        const submitted = yield* producers.submitted(kind)
        const version = yield* submitted.version
        if (first !== undefined) yield* producers.settle(first)
        expect(yield* submitted.version).not.toBe(version)
        expect(yield* producers.requests(kind)).toHaveLength(1_000)
      }).pipe(Effect.provide(layer))
    )

    it.effect("request nothing about a job that has ended, or of another kind", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        const { producers } = store
        yield* created(1)
        yield* store.record({ type: "job.completed", jobId: id(1), attempt: 1, at: at(5) })
        yield* producers.requestStop({ kind, jobId: id(1), grace: undefined, at: at(9) })
        expect(yield* Effect.flip(producers.requestSignal(signal(1)))).toMatchObject({ _tag: "JobEnded" })
        yield* created(2, { kind: "other" })
        const stop = producers.requestStop({ kind, jobId: id(2), grace: undefined, at: at(9) })
        expect(yield* Effect.flip(stop)).toMatchObject({ _tag: "JobNotFound" })
        expect(yield* Effect.flip(producers.requestSignal(signal(2)))).toMatchObject({ _tag: "JobNotFound" })
        expect(yield* producers.requests(kind)).toEqual([])
      }).pipe(Effect.provide(layer))
    )
  })
}
