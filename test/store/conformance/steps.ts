/** The steps of jobs. */
import { describe, expect, it } from "@effect/vitest"
import { RunStore } from "charlotte"
import { Effect, type Layer, Option, TestClock } from "effect"
import type { NewStep } from "../../../src/store/port/RunStoreService.js"
import { at, created, error, id, kind, log, newRun, unfinished } from "../runs.js"

const { RunStore: Store } = RunStore

/** The n-th step of a job. */
const step = (seq: number, name: string, with_: Partial<NewStep> = {}): NewStep => ({
  chain: id(1),
  jobId: id(1),
  attempt: 1,
  tries: 0,
  seq,
  name,
  ok: true,
  value: JSON.stringify({ seq, text: 'it\'s "quoted" \0' }),
  at: at(seq),
  millis: 7,
  replaces: false,
  ...with_
})

const kept = ({ jobId, name, ok, seq, tries, value }: NewStep) => ({ seq, name, jobId, tries, ok, value })

const listed = ({ at, attempt, jobId, millis, name, ok, seq }: NewStep) => ({
  seq,
  name,
  jobId,
  attempt,
  at,
  millis,
  ok
})

export const steps = (layer: Layer.Layer<RunStore.RunStore>) => {
  describe("steps", () => {
    it.effect("are recorded with an event, and are read with and without their values, in order", () =>
      Effect.gen(function* () {
        const { steps } = yield* Store
        yield* created(1)
        yield* created(2)
        const all = [step(1, "b"), step(2, "a", { value: undefined }), step(3, "ü", { ok: false })]
        for (const one of all) yield* steps.record(one)
        expect(yield* steps.recall(id(1))).toEqual(all.map(kept))
        expect(yield* steps.recall(id(2))).toEqual([])
        expect(yield* steps.list({ chain: id(1), after: 0, limit: 10 })).toMatchObject(all.map(listed))
        expect(yield* steps.list({ chain: id(1), after: 1, limit: 1 })).toMatchObject([{ name: "a" }])
        expect(yield* steps.latest({ chain: id(1), limit: 2 })).toMatchObject([{ name: "a" }, { name: "ü" }])
        const [, a, failed] = all
        const found = yield* steps.get({ chain: id(1), name: "ü" })
        expect(Option.getOrThrow(found)).toMatchObject({ step: { ok: false }, value: failed?.value })
        expect(yield* steps.get({ chain: id(1), name: "a" })).toMatchObject({ value: { value: a?.value } })
        expect(yield* steps.get({ chain: id(2), name: "a" })).toEqual(Option.none())
        expect(yield* log(id(1))).toEqual(["1 job.started", "2 job.step", "3 job.step", "4 job.step"])
        const { events } = yield* Effect.flatten((yield* Store).events({ kind, jobId: id(1), after: 3, limit: 9 }))
        expect(events.map(({ payload }) => payload)).toEqual([{ name: "ü", ok: false, millis: 7 }])
      }).pipe(Effect.provide(layer))
    )

    it.effect("are recorded by the current attempt only, and reset its count of crashes", () =>
      Effect.gen(function* () {
        const store = yield* Store
        yield* created(1)
        yield* store.record({ type: "job.interrupted", jobId: id(1), attempt: 1, at: at(2), crashed: true })
        expect(yield* Effect.flip(store.steps.record(step(1, "a")))).toMatchObject({ _tag: "Superseded" })
        yield* store.begin({ jobId: id(1), attempt: 2, key: undefined, at: at(3) })
        expect(yield* Effect.flip(store.steps.record(step(1, "a")))).toMatchObject({ _tag: "Superseded" })
        expect((yield* unfinished(id(1)))?.crashes).toBe(1)
        yield* store.steps.record(step(1, "a", { attempt: 2 }))
        expect((yield* unfinished(id(1)))?.crashes).toBe(0)
        expect(yield* store.steps.list({ chain: id(1), after: 0, limit: 9 })).toMatchObject([{ attempt: 2 }])
      }).pipe(Effect.provide(layer))
    )

    it.effect("are recorded once; only a failure is replaced", () =>
      Effect.gen(function* () {
        const { steps } = yield* Store
        yield* created(1)
        yield* steps.record(step(1, "a", { ok: false }))
        yield* steps.record(step(2, "a", { replaces: true, tries: 1 }))
        expect(yield* steps.recall(id(1))).toEqual([kept(step(2, "a", { tries: 1 }))])
      }).pipe(Effect.provide(layer))
    )

    it.effect("belong to the first run of a chain of retries, and are pruned with it", () =>
      Effect.gen(function* () {
        const store = yield* Store
        yield* created(1)
        yield* store.steps.record(step(1, "a"))
        yield* store.record({ type: "job.failed", jobId: id(1), attempt: 1, at: at(5), error })
        yield* store.create(newRun(2, { isQueued: true, retryOf: { id: id(1), fresh: false } }))
        yield* store.begin({ jobId: id(2), attempt: 1, key: undefined, at: at(6) })
        yield* store.steps.record(step(2, "b", { jobId: id(2) }))
        expect((yield* store.steps.recall(id(1))).map(({ jobId, name }) => [name, jobId])).toEqual([
          ["a", id(1)],
          ["b", id(2)]
        ])
        expect(Option.getOrThrow(yield* store.get(id(2)))).toMatchObject({ retryOf: id(1), chain: id(1) })
        expect(Option.getOrThrow(yield* store.get(id(1))).chain).toBeUndefined()
        yield* store.record({ type: "job.failed", jobId: id(2), attempt: 1, at: at(7), error })
        yield* store.create(newRun(3, { isQueued: true, retryOf: { id: id(2), fresh: true } }))
        expect(Option.getOrThrow(yield* store.get(id(3))).chain).toBeUndefined()

        yield* TestClock.setTime(1_000)
        yield* store.retain({ kind, retention: { failed: 1 }, forget: () => Effect.void })
        expect(yield* store.prune()).toMatchObject([{ runs: 2 }])
        expect(yield* store.steps.recall(id(1))).toEqual([])
      }).pipe(Effect.scoped, Effect.provide(layer))
    )
  })
}
