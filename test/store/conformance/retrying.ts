/** Runs that retry others. */
import { describe, expect, it } from "@effect/vitest"
import { errors, RunStore } from "charlotte"
import { Array, Effect, type Layer, Option, TestClock } from "effect"
import { at, created, error, id, kind, newRun, record } from "../runs.js"

const { RunStore: Store } = RunStore

const minute = 60_000

const fail = (n: number, minutes = n) =>
  Effect.flatMap(Store, ({ record }) =>
    record({ type: "job.failed", jobId: id(n), attempt: 1, at: at(minutes * minute), error })
  )

/** The n-th run, which failed at n minutes. */
const failed = (n: number, with_: Partial<RunStore.NewRun> = {}) => Effect.zipRight(created(n, with_), fail(n))

const retryOf = (of: number, more: Partial<RunStore.RetryOf> = {}) => ({
  retryOf: { id: id(of), fresh: false, ...more }
})

/** Retries a run as the n-th, which waits. */
const retry = (of: number, n: number, with_: Partial<RunStore.NewRun> = {}) =>
  Effect.flatMap(Store, ({ create }) => create(newRun(n, { isQueued: true, ...retryOf(of), ...with_ })))

/** The same, and begins and fails it at n minutes. */
const retried = (of: number, n: number, more: Partial<RunStore.RetryOf> = {}) =>
  Effect.gen(function* () {
    yield* retry(of, n, retryOf(of, more))
    yield* Effect.flatMap(Store, ({ begin }) => begin({ jobId: id(n), attempt: 1, key: undefined, at: at(n) }))
    yield* fail(n)
  })

const prunedAt = (minutes: number, retention: RunStore.Rule["retention"], options: RunStore.PruneOptions = {}) =>
  Effect.gen(function* () {
    const { prune, retain } = yield* Store
    yield* TestClock.setTime(minutes * minute)
    yield* retain({ kind, retention, forget: () => Effect.void })
    return yield* prune(options)
  }).pipe(Effect.scoped)

const listed = (query: RunStore.RunQuery = {}) =>
  Effect.flatMap(Store, ({ list }) => Effect.map(list({ limit: 1_000, ...query }), (runs) => runs.map(({ id }) => id)))

const ids = (...numbers: ReadonlyArray<number>) => numbers.map(id)

export const retrying = (layer: Layer.Layer<RunStore.RunStore>) => {
  describe("a run that retries another", () => {
    it.effect("refers to it, and is found from it, while the run that has ended stays as it was", () =>
      Effect.gen(function* () {
        const store = yield* Store
        yield* failed(1)
        const before = yield* record(id(1))
        expect(yield* retry(1, 2, { sender: { by: "ada", via: "page" } })).toEqual({ _tag: "Pending", replaces: [] })
        expect(yield* record(id(2))).toMatchObject({ status: "pending", retryOf: id(1) })
        expect({ ...(yield* record(id(1))) }).toEqual({ ...before, retriedAs: id(2) })
        const work = Option.getOrThrow(yield* store.withWork(id(1)))
        expect(work.run.retriedAs).toBe(id(2))
        const page = yield* Effect.flatten(store.events({ kind, jobId: id(2), after: 0, limit: 9 }))
        expect(page.events.map(({ payload, type }) => [type, payload])).toEqual([
          ["job.queued", { waitsFor: "permit", retryOf: id(1), by: "ada", via: "page" }]
        ])
      }).pipe(Effect.provide(layer))
    )

    it.effect("is the answer to every further retry, also of several callers at once", () =>
      Effect.gen(function* () {
        yield* failed(1)
        const answers = yield* Effect.forEach(Array.range(2, 9), (n) => retry(1, n), { concurrency: "unbounded" })
        const [first] = (yield* listed()).filter((of) => of !== id(1))
        expect(yield* listed()).toEqual([first, id(1)])
        expect(answers.filter(({ _tag }) => _tag === "Pending")).toHaveLength(1)
        expect(answers.filter(({ _tag }) => _tag === "Existing")).toEqual(
          Array.replicate({ _tag: "Existing", id: first }, 7)
        )
      }).pipe(Effect.provide(layer))
    )

    it.effect("is answered before it is asked whether a key is taken, since it may hold that key", () =>
      Effect.gen(function* () {
        const keys = { key: "a", startKey: "s" }
        yield* failed(1, keys)
        expect(yield* Effect.flatMap(Store, ({ ownKeys }) => ownKeys(id(1)))).toEqual(keys)
        yield* retry(1, 2, keys)
        expect(yield* retry(1, 3, keys)).toEqual({ _tag: "Existing", id: id(2) })
        yield* failed(4)
        expect(yield* Effect.flip(retry(4, 5, keys))).toBeInstanceOf(errors.JobConflict)
        expect((yield* record(id(4))).retriedAs).toBeUndefined()
      }).pipe(Effect.provide(layer))
    )

    it.effect("may be one of several if it says so, of which the first is referred to", () =>
      Effect.gen(function* () {
        yield* failed(1)
        const again = retryOf(1, { mayRepeat: true })
        yield* created(2, again)
        yield* created(3, again)
        expect(yield* record(id(2))).toMatchObject({ status: "running", retryOf: id(1) })
        expect((yield* record(id(3))).retryOf).toBeUndefined()
        expect((yield* record(id(1))).retriedAs).toBe(id(2))
      }).pipe(Effect.provide(layer))
    )

    it.effect("refers to no run that has not ended, that is of another kind, or that is not there", () =>
      Effect.gen(function* () {
        yield* created(1)
        yield* failed(2, { kind: "others" })
        for (const [of, n] of [
          [1, 11],
          [2, 12],
          [3, 13]
        ] as const) {
          yield* retry(of, n)
          expect((yield* record(id(n))).retryOf).toBeUndefined()
        }
        expect((yield* record(id(1))).retriedAs).toBeUndefined()
      }).pipe(Effect.provide(layer))
    )
  })

  describe("page", () => {
    it.effect("has only the runs that are retried, or only the others, with all other filters", () =>
      Effect.gen(function* () {
        for (const n of Array.range(1, 6))
          yield* failed(n, { labels: { odd: String(n % 2), title: "x" }, config: "word" })
        yield* created(7)
        yield* retry(2, 8)
        yield* retry(3, 9)
        expect(yield* listed({ status: "failed", retried: false })).toEqual(ids(6, 5, 4, 1))
        expect(yield* listed({ retried: true })).toEqual(ids(3, 2))
        expect(yield* listed({ kind, status: "failed", retried: false, labels: { odd: "1" } })).toEqual(ids(5, 1))
        expect(yield* listed({ retried: true, labels: { odd: "1", title: "x" } })).toEqual(ids(3))
        expect(yield* listed({ retried: false, q: "word" })).toEqual(ids(6, 5, 4, 1))
        const { page } = yield* Store
        const first = yield* page({ status: "failed", retried: false, limit: 2 })
        expect(first.runs.map(({ id }) => id)).toEqual(ids(6, 5))
        expect(yield* listed({ status: "failed", retried: false, before: Option.getOrThrow(first.next) })).toEqual(
          ids(4, 1)
        )
        const refused = yield* Effect.flip(page({ kind, status: "pending", order: "queue", retried: false }))
        expect(refused.reason).toBe("invalid")
      }).pipe(Effect.provide(layer))
    )
  })

  describe("prune", () => {
    it.effect("takes a chain of retries as a whole, once its last run is too old", () =>
      Effect.gen(function* () {
        yield* failed(1)
        yield* retried(1, 2)
        yield* retried(2, 5)
        yield* failed(3)
        expect(yield* prunedAt(8, { failed: "4 minutes" })).toEqual([{ kind, runs: 1, jobs: ids(3) }])
        expect(yield* prunedAt(9, { failed: "4 minutes" }, { dryRun: true })).toMatchObject([{ runs: 3 }])
        const [pruned] = yield* prunedAt(9, { failed: "4 minutes" })
        expect([...(pruned?.jobs ?? [])].sort()).toEqual(ids(1, 2, 5))
        expect(yield* listed()).toEqual([])
      }).pipe(Effect.provide(layer))
    )

    it.effect("keeps a chain while one of its runs has not ended or is pinned", () =>
      Effect.gen(function* () {
        const { pin, unpin } = yield* Store
        yield* failed(1)
        yield* retry(1, 2)
        yield* failed(3)
        yield* retried(3, 4)
        yield* pin(id(3))
        expect(yield* prunedAt(60, { failed: 0, maxRuns: 0 })).toEqual([])
        yield* unpin(id(3))
        expect(yield* prunedAt(60, { failed: 0 })).toMatchObject([{ runs: 2 }])
        expect(yield* listed()).toEqual(ids(2, 1))
      }).pipe(Effect.provide(layer))
    )

    it.effect("takes a retry that begins a chain apart from the run that it retries, which can be retried again", () =>
      Effect.gen(function* () {
        yield* failed(1)
        yield* retried(1, 2, { fresh: true })
        yield* retried(2, 9)
        expect(yield* prunedAt(10, { failed: "5 minutes" })).toEqual([{ kind, runs: 1, jobs: ids(1) }])
        expect(yield* record(id(2))).toMatchObject({ retryOf: id(1), retriedAs: id(9) })
        yield* failed(11)
        yield* retry(11, 12, retryOf(11, { fresh: true }))
        yield* Effect.flatMap(Store, ({ record }) =>
          record({ type: "job.cancelled", jobId: id(12), attempt: 1, at: at(0) })
        )
        yield* prunedAt(11, { cancelled: 0, failed: "1 day" })
        expect((yield* record(id(11))).retriedAs).toBeUndefined()
        expect(yield* retry(11, 13)).toMatchObject({ _tag: "Pending" })
      }).pipe(Effect.provide(layer))
    )

    it.effect("exceeds a limit of finished runs by no more than one chain", () =>
      Effect.gen(function* () {
        for (const n of [1, 11, 21]) {
          yield* failed(n)
          yield* retried(n, n + 1)
          yield* retried(n + 1, n + 2)
        }
        expect(yield* prunedAt(60, { maxRuns: 5 }, { dryRun: true })).toMatchObject([{ runs: 6 }])
        expect(yield* prunedAt(60, { maxRuns: 5 })).toMatchObject([{ runs: 6 }])
        expect(yield* listed()).toEqual(ids(23, 22, 21))
      }).pipe(Effect.provide(layer))
    )
  })
}
