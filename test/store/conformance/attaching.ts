import { describe, expect, it } from "@effect/vitest"
import { errors, RunStore } from "charlotte"
import { Effect, type Layer, Option } from "effect"
import { at, created, id, kind, newRun } from "../runs.js"

const { RunStore: Store } = RunStore

const idempotency = { key: "i", request: "one" }

const key = { kind, of: "startKey" as const, key: "a" }

/** Whether a request has another run now. */
const start = (n: number, with_: Partial<RunStore.NewRun> = {}) =>
  Effect.flatMap(Store, ({ create }) => create(newRun(n, { startKey: "a", idempotency, ...with_ })))

const end = (n: number) =>
  Effect.flatMap(Store, ({ record }) =>
    record({ type: "job.completed", jobId: id(n), attempt: 1, at: at(9), result: 1 })
  )

const known = Effect.flatMap(Store, ({ idempotent }) => idempotent({ kind, key: "i" }))

export const attaching = (layer: Layer.Layer<RunStore.RunStore>) => {
  describe("attach", () => {
    it.effect("records the idempotency key for the job that holds the key, beyond its end", () =>
      Effect.gen(function* () {
        const { attach } = yield* Store
        yield* created(1, { startKey: "a" })
        expect(yield* attach({ to: key, idempotency })).toEqual(Option.some(id(1)))
        expect(yield* known).toEqual(Option.some({ id: id(1), request: "one" }))
        yield* end(1)
        expect(yield* attach({ to: key, idempotency })).toEqual(Option.some(id(1)))
        expect(yield* start(2)).toEqual({ _tag: "Existing", id: id(1) })
      }).pipe(Effect.provide(layer))
    )

    it.effect("answers the run that was started with the idempotency key, whatever job holds the key", () =>
      Effect.gen(function* () {
        const { attach } = yield* Store
        yield* start(1)
        yield* end(1)
        yield* created(2, { startKey: "a" })
        expect(yield* attach({ to: key, idempotency })).toEqual(Option.some(id(1)))
        expect(yield* known).toEqual(Option.some({ id: id(1), request: "one" }))
      }).pipe(Effect.provide(layer))
    )

    it.effect("answers nothing, and records nothing, where no job holds the key", () =>
      Effect.gen(function* () {
        const { attach } = yield* Store
        yield* created(1, { startKey: "a" })
        yield* end(1)
        yield* created(2, { startKey: "b" })
        yield* created(3, { kind: "others", startKey: "a" })
        expect(yield* attach({ to: key, idempotency })).toEqual(Option.none())
        expect(yield* known).toEqual(Option.none())
        expect(yield* start(4)).toEqual({ _tag: "Running" })
      }).pipe(Effect.provide(layer))
    )

    it.effect("refuses another request with the same idempotency key", () =>
      Effect.gen(function* () {
        const { attach } = yield* Store
        yield* created(1, { startKey: "a" })
        yield* attach({ to: key, idempotency })
        const another = { key: "i", request: "another" }
        const reused = new errors.IdempotencyKeyReused({ key: "i", jobId: id(1) })
        expect(yield* Effect.flip(attach({ to: key, idempotency: another }))).toEqual(reused)
        yield* end(1)
        expect(yield* Effect.flip(start(2, { idempotency: another }))).toEqual(reused)
      }).pipe(Effect.provide(layer))
    )

    it.effect("is a part of the creation of a run that finds a job that holds its key", () =>
      Effect.gen(function* () {
        yield* created(1, { key: "checked" })
        const attach = { key: "checked", startKey: "b", whenKeyTaken: "attach" } as const
        expect(yield* start(2, attach)).toEqual({ _tag: "Existing", id: id(1) })
        yield* end(1)
        expect(yield* start(3, attach)).toEqual({ _tag: "Existing", id: id(1) })
        const { list } = yield* Store
        expect((yield* list()).map(({ id }) => id)).toEqual([id(1)])
      }).pipe(Effect.provide(layer))
    )

    it.effect("keeps idempotency keys apart by their kind, and any number for one job", () =>
      Effect.gen(function* () {
        const { attach, idempotent } = yield* Store
        yield* created(1, { startKey: "a" })
        yield* created(2, { kind: "others", startKey: "a" })
        yield* attach({ to: key, idempotency })
        yield* attach({ to: key, idempotency: { key: "j", request: "one" } })
        yield* attach({ to: { ...key, kind: "others" }, idempotency })
        for (const [of, key, jobId] of [
          [kind, "i", id(1)],
          [kind, "j", id(1)],
          ["others", "i", id(2)]
        ] as const) {
          expect(yield* idempotent({ kind: of, key })).toEqual(Option.some({ id: jobId, request: "one" }))
        }
      }).pipe(Effect.provide(layer))
    )

    it.effect("gives all of many concurrent requests one job, while the job that holds the key ends", () =>
      Effect.gen(function* () {
        const { attach } = yield* Store
        yield* created(1, { startKey: "a" })
        const attached = Effect.replicateEffect(attach({ to: key, idempotency }), 20, { concurrency: "unbounded" })
        const [before, , after] = yield* Effect.all([attached, end(1), attached], { concurrency: "unbounded" })
        expect(new Set([...before, ...after].map(Option.getOrNull)).size).toBe(1)
      }).pipe(Effect.provide(layer))
    )
  })
}
