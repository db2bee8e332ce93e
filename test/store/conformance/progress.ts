/** The progress that jobs report. */
import { describe, expect, it } from "@effect/vitest"
import { Run, RunStore } from "charlotte"
import { Effect, type Layer } from "effect"
import { at, created, error, id, kind, log, newRun, record, unfinished } from "../runs.js"

const { RunStore: Store } = RunStore

const progress = (done: number, total: number, text?: string): Run.Progress =>
  new Run.Progress({ done, total, ...(text === undefined ? {} : { text }) })

const report = (progress: Run.Progress, by: Partial<RunStore.NewProgress> = {}) =>
  Effect.flatMap(Store, (store) => store.progress({ jobId: id(1), attempt: 1, tries: 0, progress, ...by }))

export const progressOfRuns = (layer: Layer.Layer<RunStore.RunStore>) => {
  describe("progress", () => {
    it.effect("is replaced without an event, and is read with the run", () =>
      Effect.gen(function* () {
        const store = yield* Store
        yield* created(1)
        yield* created(2)
        expect((yield* record(id(1))).progress).toBeUndefined()
        for (const done of [1, 2]) yield* report(progress(done, 3, 'it\'s "quoted" \0 ü'))
        const newest = progress(2, 3, 'it\'s "quoted" \0 ü')
        expect((yield* record(id(1))).progress).toEqual(newest)
        expect((yield* store.list({ kind })).map(({ progress }) => progress)).toEqual([undefined, newest])
        expect((yield* unfinished(id(1)))?.run.progress).toEqual(newest)
        yield* report(progress(0, 0))
        expect((yield* record(id(1))).progress).toEqual(progress(0, 0))
        expect(yield* log(id(1))).toEqual(["1 job.started"])
      }).pipe(Effect.provide(layer))
    )

    it.effect("has a text of at most 200 bytes, cut between two characters", () =>
      Effect.gen(function* () {
        yield* created(1)
        expect(yield* report(progress(1, 2, "ü".repeat(100)))).toEqual(progress(1, 2, "ü".repeat(100)))
        const cut = yield* report(progress(1, 2, "ü".repeat(101)))
        expect(cut).toEqual(progress(1, 2, `${"ü".repeat(98)}…`))
        expect((yield* record(id(1))).progress).toEqual(cut)
      }).pipe(Effect.provide(layer))
    )

    it.effect("is recorded by the current attempt only, and outlives it, also through a crash", () =>
      Effect.gen(function* () {
        const store = yield* Store
        yield* created(1)
        yield* report(progress(1, 3))
        yield* store.record({ type: "job.interrupted", jobId: id(1), attempt: 1, at: at(2), crashed: true })
        expect(yield* Effect.flip(report(progress(2, 3)))).toMatchObject({ _tag: "Superseded" })
        expect((yield* record(id(1))).progress).toEqual(progress(1, 3))
        yield* store.begin({ jobId: id(1), attempt: 2, key: undefined, at: at(3) })
        expect(yield* Effect.flip(report(progress(2, 3)))).toMatchObject({ _tag: "Superseded" })
        expect((yield* record(id(1))).progress).toEqual(progress(1, 3))
        yield* report(progress(2, 3), { attempt: 2 })
        yield* store.record({ type: "job.completed", jobId: id(1), attempt: 2, at: at(4), result: 1 })
        expect(yield* Effect.flip(report(progress(3, 3), { attempt: 2 }))).toMatchObject({ _tag: "Superseded" })
        expect((yield* record(id(1))).progress).toEqual(progress(2, 3))
      }).pipe(Effect.provide(layer))
    )

    it.effect("is empty again with a retry, within the run or by another", () =>
      Effect.gen(function* () {
        const store = yield* Store
        yield* created(1)
        yield* report(progress(1, 3))
        const parked = new Run.Parked({ reason: "retry 1 of 2", until: at(9), retry: { n: 1, of: 2, error } })
        yield* store.record({ type: "job.parked", jobId: id(1), attempt: 1, at: at(5), parked, error })
        expect((yield* record(id(1))).progress).toBeUndefined()
        yield* store.wake(id(1))
        yield* store.begin({ jobId: id(1), attempt: 2, key: undefined, at: at(10) })
        expect((yield* record(id(1))).progress).toBeUndefined()
        yield* report(progress(2, 3), { attempt: 2, tries: 1 })
        expect((yield* record(id(1))).progress).toEqual(progress(2, 3))
        yield* store.record({ type: "job.failed", jobId: id(1), attempt: 2, at: at(11), error })
        expect((yield* record(id(1))).progress).toEqual(progress(2, 3))
        yield* store.create(newRun(2, { isQueued: true, retryOf: { id: id(1), fresh: false } }))
        expect((yield* record(id(2))).progress).toBeUndefined()
      }).pipe(Effect.provide(layer))
    )
  })
}
