import { describe, expect, it } from "@effect/vitest"
import { type errors, JobConfig, Run, type RunStatus, RunStore } from "charlotte"
import { Effect, type Layer, Option, Schema } from "effect"
import { at, created, error, id, kind, newRun, record } from "../runs.js"
import { eventually } from "./eventually.js"

const ids = (runs: ReadonlyArray<{ readonly id: string }>) => runs.map(({ id }) => id)

export const reading = (layer: Layer.Layer<RunStore.RunStore>) => {
  describe("create and get", () => {
    it.effect("store a new run as it was submitted", () =>
      Effect.gen(function* () {
        const labels = { team: "web", "with.dot \"'": "ü\n" }
        yield* created(1, { labels, key: "a key" })
        const run = yield* record(id(1))
        expect({ ...run }).toEqual({
          id: id(1),
          kind,
          status: "running",
          attempt: 1,
          config: { number: 1 },
          labels,
          priority: 0,
          createdAt: at(1),
          startedAt: at(1)
        })
      }).pipe(Effect.provide(layer))
    )

    it.effect("show the keys of a run and who holds them, until it is over", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        yield* created(1, { key: "a", startKey: "s" })
        yield* created(2, { key: "b", startKey: "s", whenKeyTaken: "queue" })
        yield* created(3, { isQueued: true })
        const first = { id: id(1), status: "running" }
        expect(yield* store.keys(id(1))).toEqual([
          { of: "startKey", key: "s", holder: first },
          { of: "key", key: "a", holder: first }
        ])
        // Only the first that waits for it: it holds neither key.
        expect(yield* store.keys(id(2))).toEqual([
          { of: "startKey", key: "s", holder: first },
          { of: "key", key: "b", holder: { id: id(2), status: "pending" } }
        ])
        expect(yield* store.keys(id(3))).toEqual([])
        expect(yield* store.keys(id(4))).toEqual([])
        yield* store.record({ type: "job.completed", jobId: id(1), attempt: 1, at: at(9), result: undefined })
        expect(yield* store.keys(id(1))).toEqual([])
        const holders = Effect.map(store.keys(id(2)), (keys) => keys.map(({ holder }) => holder.id))
        yield* eventually(holders, [id(2), id(2)])
      }).pipe(Effect.provide(layer))
    )

    it.effect("count the runs of a kind that are pending", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        expect(yield* store.pending(kind)).toBe(0)
        yield* created(1)
        for (const n of [2, 3, 4]) yield* created(n, { isQueued: true })
        yield* created(5, { isQueued: true, kind: "other" })
        yield* store.begin({ jobId: id(2), attempt: 1, key: undefined, at: at(9) })
        expect(yield* store.pending(kind)).toBe(2)
      }).pipe(Effect.provide(layer))
    )

    it.effect("name the oldest run of a kind that is pending, and count those that are parked", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        expect(yield* store.backlog(kind)).toEqual({ oldest: Option.none(), parked: 0 })
        for (const n of [1, 2, 3]) yield* created(n)
        yield* created(4, { kind: "other" })
        for (const n of [6, 5]) yield* created(n, { isQueued: true, priority: n })
        const parked = new Run.Parked({ reason: "waits", signal: "go" })
        for (const n of [1, 2, 4])
          yield* store.record({ type: "job.parked", jobId: id(n), attempt: 1, at: at(9), parked })
        expect(yield* store.backlog(kind)).toEqual({ oldest: Option.some(id(5)), parked: 2 })
      }).pipe(Effect.provide(layer))
    )

    it.effect("count the runs of a kind in each status", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        const none = { pending: 0, running: 0, interrupted: 0, parked: 0, completed: 0, failed: 0, cancelled: 0 }
        expect(yield* store.countByStatus(kind)).toEqual(none)
        for (const n of [1, 2, 3]) yield* created(n)
        yield* created(4, { kind: "other" })
        for (const n of [5, 6]) yield* created(n, { isQueued: true })
        const parked = new Run.Parked({ reason: "waits", signal: "go" })
        yield* store.record({ type: "job.parked", jobId: id(1), attempt: 1, at: at(9), parked })
        yield* store.record({ type: "job.completed", jobId: id(2), attempt: 1, at: at(9), result: 1 })
        expect(yield* store.countByStatus(kind)).toEqual({ ...none, pending: 2, running: 1, parked: 1, completed: 1 })
      }).pipe(Effect.provide(layer))
    )

    it.effect("return none for an unknown id", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        expect(yield* store.get(id(1))).toEqual(Option.none())
      }).pipe(Effect.provide(layer))
    )

    it.effect("keep JSON values, and other values as their JSON", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        const odd = { text: "a\u0000b\u2028\ud83e\udd77", nothing: null, list: [1, 2.5, -0, [], {}], big: 1n, no: NaN }
        const kept = { ...odd, list: [1, 2.5, 0, [], {}], big: "1", no: "NaN" }
        yield* created(1, { config: odd })
        const config = yield* Schema.decode(JobConfig.JobConfig)({
          repoPath: "/r",
          tasksDir: "t",
          targetBranch: "main"
        })
        yield* created(2, { config })

        yield* store.record({ type: "job.completed", jobId: id(1), attempt: 1, at: at(9), result: odd })
        yield* store.record({ type: "job.completed", jobId: id(2), attempt: 1, at: at(9), result: undefined })
        expect(yield* record(id(1))).toMatchObject({ config: kept, result: kept, endedAt: at(9) })
        expect((yield* record(id(2))).result).toBe(null)
        expect((yield* record(id(2))).config).toEqual({ ...config })
      }).pipe(Effect.provide(layer))
    )

    it.effect("copy what was submitted, so that later mutations have no effect", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        const config = { steps: ["one"] }
        const labels: Record<string, string> = { team: "web" }
        const failed = { steps: ["failed"] }
        yield* created(1, { config, labels })
        const change = { type: "job.failed", jobId: id(1), attempt: 1, at: at(9) } as const
        yield* store.record({ ...change, error: { ...error, error: failed } })
        config.steps.push("two")
        labels["team"] = "other"
        failed.steps.push("again")
        expect(yield* record(id(1))).toMatchObject({
          config: { steps: ["one"] },
          labels: { team: "web" },
          error: { ...error, error: { steps: ["failed"] } }
        })
      }).pipe(Effect.provide(layer))
    )

    it.effect("keep an error with its kind, its JSON and its cause", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        yield* created(1)
        const odd = { ...error, error: { when: new Date(0), count: 3n, nested: { deep: [undefined] } } }
        yield* store.record({ type: "job.failed", jobId: id(1), attempt: 1, at: at(9), error: odd })
        expect({ ...(yield* record(id(1))).error }).toEqual({
          ...error,
          error: { when: "1970-01-01T00:00:00.000Z", count: "3", nested: { deep: [null] } }
        })
      }).pipe(Effect.provide(layer))
    )
  })

  describe("submission", () => {
    const kept = (text: string | undefined) =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        yield* created(1, { submission: text })
        return yield* store.submission(id(1))
      }).pipe(Effect.provide(layer))

    for (const value of [{ tasks: ["a\u0000b\u2028\ud83e\udd77"] }, [], "text", "", 0, false, null]) {
      const json = JSON.stringify(value)
      it.effect(`returns ${json} as it was submitted`, () =>
        Effect.map(kept(json), (submission) => expect(submission).toEqual(Option.some(value)))
      )
    }

    it.effect("returns none for a run without one, and for an unknown id", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        yield* created(1)
        yield* created(2, { submission: "1" })
        expect(yield* store.submission(id(1))).toEqual(Option.none())
        expect(yield* store.submission(id(3))).toEqual(Option.none())
      }).pipe(Effect.provide(layer))
    )

    it.effect("stays the same through all attempts and after the end, and is not part of the run", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        const submission = Effect.flatten(store.submission(id(1)))
        const value = { text: "x".repeat(1_000_000) }
        yield* created(1, { submission: JSON.stringify(value) })
        yield* store.record({ type: "job.interrupted", jobId: id(1), attempt: 1, at: at(2) })
        yield* store.begin({ jobId: id(1), attempt: 2, key: undefined, at: at(3) })
        expect(yield* submission).toEqual(value)
        yield* store.record({ type: "job.completed", jobId: id(1), attempt: 2, at: at(4), result: 1 })
        expect(yield* submission).toEqual(value)
        const [listed] = yield* store.list()
        for (const run of [yield* record(id(1)), listed]) expect(JSON.stringify(run).length).toBeLessThan(1_000)
      }).pipe(Effect.provide(layer))
    )

    it.effect("returns a new value each time", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        yield* created(1, { submission: "[]" })
        const first = yield* Effect.flatten(store.submission(id(1)))
        if (Array.isArray(first)) first.push("mine")
        expect(first).toEqual(["mine"])
        expect(yield* Effect.flatten(store.submission(id(1)))).toEqual([])
      }).pipe(Effect.provide(layer))
    )

    it.effect("is not stored when the run is refused for its key", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        yield* created(1, { key: "a", submission: "1" })
        yield* Effect.flip(store.create(newRun(2, { key: "a", submission: "2" })))
        expect(yield* store.submission(id(2))).toEqual(Option.none())
      }).pipe(Effect.provide(layer))
    )
  })

  describe("list", () => {
    const many = Effect.gen(function* () {
      const store = yield* RunStore.RunStore
      yield* created(1, { labels: { team: "web", size: "large" } })
      yield* created(2, { labels: { team: "web", size: "small" } })
      yield* created(3, { kind: "other", labels: { team: "web" } })
      yield* created(4, { labels: { team: "api" } })
      yield* created(5)
      yield* store.record({ type: "job.completed", jobId: id(2), attempt: 1, at: at(9) })
      yield* store.record({ type: "job.failed", jobId: id(4), attempt: 1, at: at(9), error })
      return store
    })

    it.effect("returns all runs, newest first", () =>
      Effect.gen(function* () {
        const { list } = yield* many
        expect(ids(yield* list())).toEqual([id(5), id(4), id(3), id(2), id(1)])
      }).pipe(Effect.provide(layer))
    )

    it.effect("sorts by id, not by insertion order", () =>
      Effect.gen(function* () {
        yield* created(2)
        yield* created(1)
        const { list } = yield* RunStore.RunStore
        expect(ids(yield* list())).toEqual([id(2), id(1)])
      }).pipe(Effect.provide(layer))
    )

    it.effect("filters by kind, status and labels, and all of them combined", () =>
      Effect.gen(function* () {
        const { list } = yield* many
        expect(ids(yield* list({ kind }))).toEqual([id(5), id(4), id(2), id(1)])
        expect(ids(yield* list({ status: "running" }))).toEqual([id(5), id(3), id(1)])
        expect(ids(yield* list({ labels: { team: "web" } }))).toEqual([id(3), id(2), id(1)])
        expect(ids(yield* list({ labels: { team: "web", size: "small" } }))).toEqual([id(2)])
        expect(ids(yield* list({ labels: { team: "api", size: "small" } }))).toEqual([])
        expect(ids(yield* list({ kind, status: "running", labels: { team: "web" } }))).toEqual([id(1)])
        expect(ids(yield* list({ labels: { toString: "web" } }))).toEqual([])
      }).pipe(Effect.provide(layer))
    )

    it.effect("returns consecutive pages", () =>
      Effect.gen(function* () {
        const { list } = yield* many
        expect(ids(yield* list({ limit: 2 }))).toEqual([id(5), id(4)])
        expect(ids(yield* list({ limit: 2, before: id(4) }))).toEqual([id(3), id(2)])
        expect(ids(yield* list({ limit: 2, before: id(2) }))).toEqual([id(1)])
        expect(ids(yield* list({ limit: 2, before: id(1) }))).toEqual([])
        expect(ids(yield* list({ limit: 1, before: id(4), labels: { team: "web" }, kind }))).toEqual([id(2)])
      }).pipe(Effect.provide(layer))
    )

    it.effect("finds a run by its label and its current status", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        const found = (status: RunStatus.RunStatus) =>
          Effect.map(store.list({ kind, status, labels: { team: "web" } }), ids)
        yield* created(1, { labels: { team: "web" } })
        expect(yield* found("running")).toEqual([id(1)])
        yield* store.record({ type: "job.interrupted", jobId: id(1), attempt: 1, at: at(2) })
        expect(yield* found("running")).toEqual([])
        expect(yield* found("interrupted")).toEqual([id(1)])
        yield* store.begin({ jobId: id(1), attempt: 2, key: undefined, at: at(3) })
        expect(yield* found("interrupted")).toEqual([])
        yield* store.record({ type: "job.failed", jobId: id(1), attempt: 2, at: at(4), error })
        expect(yield* found("failed")).toEqual([id(1)])
      }).pipe(Effect.provide(layer))
    )

    it.effect("returns where the next page starts, or none, with any number of labels", () =>
      Effect.gen(function* () {
        const { page } = yield* RunStore.RunStore
        for (const n of [1, 2, 3, 4]) yield* created(n, { labels: { a: "x", b: `${n % 2}`, c: "y" } })
        for (const labels of [{}, { a: "x" }, { a: "x", c: "y" }]) {
          const first = yield* page({ labels, limit: 2 })
          expect([ids(first.runs), first.next]).toEqual([[id(4), id(3)], Option.some(id(3))])
          const second = yield* page({ labels, limit: 2, before: id(3) })
          expect([ids(second.runs), second.next]).toEqual([[id(2), id(1)], Option.none()])
        }
        const odd = yield* page({ labels: { a: "x", b: "1", c: "y" }, limit: 2 })
        expect([ids(odd.runs), odd.next]).toEqual([[id(3), id(1)], Option.none()])
        expect(yield* page({ labels: { a: "x", b: "7" } })).toEqual({ runs: [], next: Option.none() })
      }).pipe(Effect.provide(layer))
    )

    describe("in the order of the queue", () => {
      const queue = { kind, status: "pending", order: "queue" } as const

      it.effect("returns the pending runs of a kind as they would begin, page by page", () =>
        Effect.gen(function* () {
          const { list, page, record } = yield* RunStore.RunStore
          yield* created(1, { startKey: "k" })
          const queued = (n: number, with_: Partial<RunStore.NewRun> = {}) =>
            created(n, { isQueued: true, whenKeyTaken: "queue", ...with_ })
          yield* queued(2, { startKey: "k", priority: 9 })
          yield* queued(3, { startAt: at(9_000) })
          yield* queued(4)
          yield* queued(5, { startAt: at(8_000), priority: 1 })
          yield* queued(6, { priority: 5 })
          yield* queued(7)
          yield* queued(8, { startKey: "k" })
          yield* queued(9, { kind: "other", priority: 9 })
          yield* queued(10, { priority: 5 })
          yield* created(11)
          yield* record({ type: "job.interrupted", jobId: id(11), attempt: 1, at: at(12) })
          const expected = [6, 10, 4, 7, 5, 3, 2, 8].map(id)
          expect(ids(yield* list(queue))).toEqual(expected)
          for (const limit of [1, 2, 3, 7, 8]) {
            const found: Array<string> = []
            for (let before: RunStore.RunQuery["before"], more = true; more;) {
              const { next, runs } = yield* page({ ...queue, limit, ...(before && { before }) })
              expect(runs.length).toBeGreaterThan(0)
              found.push(...ids(runs))
              before = Option.getOrUndefined(next)
              more = before !== undefined
            }
            expect(found).toEqual(expected)
          }
          expect(yield* page({ ...queue, kind: "none" })).toEqual({ runs: [], next: Option.none() })
        }).pipe(Effect.provide(layer))
      )

      it.effect("continues after a run that has begun meanwhile", () =>
        Effect.gen(function* () {
          const store = yield* RunStore.RunStore
          for (const [n, priority] of [5, 3, 3, 0].entries()) yield* created(n, { isQueued: true, priority })
          yield* store.begin({ jobId: id(1), attempt: 1, key: undefined, at: at(9) })
          expect(ids(yield* store.list({ ...queue, before: id(1) }))).toEqual([id(2), id(3)])
        }).pipe(Effect.provide(layer))
      )

      it.effect("is refused without a kind, with another status, and with other filters", () =>
        Effect.gen(function* () {
          const { list } = yield* RunStore.RunStore
          const { kind: _, ...ofAnyKind } = queue
          for (const query of [
            ofAnyKind,
            { ...queue, status: "running" as const },
            { ...queue, labels: { a: "b" } },
            { ...queue, q: "x" }
          ]) {
            expect(yield* Effect.flip(list(query))).toMatchObject({ _tag: "StoreError", reason: "invalid" })
          }
        }).pipe(Effect.provide(layer))
      )
    })

    it.effect("refuses an invalid limit or position, with an error that names it", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        yield* created(1)
        for (const limit of [-1, 1.5, NaN, Infinity, 2 ** 53]) {
          const pages = [store.list({ limit }), store.page({ limit }), store.unfinished({ kind, limit })]
          for (const query of pages.map((page): Effect.Effect<unknown, errors.StoreError> => page)) {
            const error = yield* Effect.flip(query)
            expect(error).toMatchObject({ _tag: "StoreError", reason: "invalid" })
            expect(error.message).toContain(`limit must be a whole number, 0 or more, not ${limit}`)
          }
        }
        const before = Schema.decodeUnknownSync(Schema.Any)("x")
        const error = yield* Effect.flip(store.list({ before }))
        expect(error.message).toBe('store: list runs failed (invalid): before must be a job id, not "x"')
        expect(yield* store.list({ limit: 0 })).toEqual([])
      }).pipe(Effect.provide(layer))
    )

    it.effect("returns at most 1,000 runs", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        const many = Array.from({ length: 1_002 }, (_, n) => newRun(n))
        yield* Effect.forEach(many, store.create, { concurrency: "unbounded" })
        const { next, runs } = yield* store.page({ limit: 100_000 })
        expect(ids(runs)).toEqual(Array.from({ length: 1_000 }, (_, n) => id(1_001 - n)))
        expect(next).toEqual(Option.some(id(2)))
        expect(yield* store.unfinished({ kind, limit: 100_000 })).toHaveLength(1_000)
      }).pipe(Effect.provide(layer))
    )

    it.effect("returns 100 runs by default", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        yield* Effect.forEach(
          Array.from({ length: 101 }, (_, n) => newRun(n)),
          store.create,
          {
            concurrency: "unbounded"
          }
        )
        expect(ids(yield* store.list())).toEqual(Array.from({ length: 100 }, (_, n) => id(100 - n)))
      }).pipe(Effect.provide(layer))
    )
  })
}
