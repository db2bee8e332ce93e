/** The removal of jobs. */
import { describe, expect, it } from "@effect/vitest"
import { errors, type JobId, RunStore } from "charlotte"
import { Duration, Effect, type Layer, Option, TestClock } from "effect"
import { at, created, error, id, kind, newRun, record } from "../runs.js"

const { RunStore: Store } = RunStore

const complete = (n: number) =>
  Effect.flatMap(Store, ({ record }) =>
    record({ type: "job.completed", jobId: id(n), attempt: 1, at: at(n), result: null })
  )

/** The n-th run, which has completed. */
const completed = (n: number, with_: Partial<RunStore.NewRun> = {}) => Effect.zipRight(created(n, with_), complete(n))

/** Retries a run as the n-th, which begins. */
const retried = (of: number, n: number, { fresh = false } = {}) =>
  Effect.gen(function* () {
    const { begin, create } = yield* Store
    yield* create(newRun(n, { isQueued: true, retryOf: { id: id(of), fresh, mayRepeat: true } }))
    yield* begin({ jobId: id(n), attempt: 1, key: undefined, at: at(n) })
  })

const hide = (n: number, with_: Partial<RunStore.Removing> = {}) =>
  Effect.flatMap(Store, ({ remove }) =>
    remove({ kind, jobId: id(n), isPinnedToo: false, by: "ada", at: at(1_000), ...with_ })
  )

const deleted = (ids: ReadonlyArray<JobId.JobId>, forget: RunStore.Rule["forget"] = () => Effect.void) =>
  Effect.flatMap(Store, ({ deleteHidden }) => deleteHidden({ forget }, ids))

const removed = (n: number, with_: Partial<RunStore.Removing> = {}) => Effect.flatMap(hide(n, with_), deleted)

const refused = (n: number) =>
  Effect.map(Effect.flip(hide(n)), (error) =>
    error instanceof errors.NotRemovable ? [error.reason, error.other] : error
  )

const listed = Effect.flatMap(Store, ({ list }) => Effect.map(list(), (runs) => runs.map(({ id }) => id)))

const hasHidden = Effect.flatMap(Store, ({ hasHidden }) => hasHidden(kind))

/** Starts a child of the n-th run as another run of the kind. */
const child = (n: number, childOf: number, chain = childOf) =>
  Effect.flatMap(Store, ({ children }) =>
    children.start({
      jobId: id(childOf),
      attempt: 1,
      chain: id(chain),
      name: "step",
      tries: 0,
      onParentStop: "stop",
      run: newRun(n, { isQueued: true, parent: id(childOf) })
    })
  )

export const removal = (layer: Layer.Layer<RunStore.RunStore>) => {
  describe("a removed job", () => {
    it.effect("is gone at once, and its rows are deleted afterwards, while other jobs stay", () =>
      Effect.gen(function* () {
        const store = yield* Store
        yield* completed(1, { labels: { team: "web" } })
        yield* completed(2)
        const before = yield* store.prunings
        const hidden = yield* hide(1)
        expect(hidden).toEqual([id(1)])
        expect(yield* store.prunings).toBeGreaterThan(before)
        expect(yield* listed).toEqual([id(2)])
        expect(yield* store.get(id(1))).toEqual(Option.none())
        expect(yield* store.events({ kind, jobId: id(1), after: 0, limit: 10 })).toEqual(Option.none())
        expect(yield* hasHidden).toBe(true)
        yield* deleted(hidden)
        expect(yield* hasHidden).toBe(false)
        expect(yield* listed).toEqual([id(2)])
      }).pipe(Effect.provide(layer))
    )

    it.effect("answers a further removal in the same way, before and after its rows are deleted", () =>
      Effect.gen(function* () {
        yield* completed(1)
        expect(yield* hide(1)).toEqual([id(1)])
        expect(yield* hide(1)).toEqual([id(1)])
        yield* deleted([id(1)])
        expect(yield* hide(1)).toEqual([])
      }).pipe(Effect.provide(layer))
    )

    it.effect("is remembered for a year", () =>
      Effect.gen(function* () {
        const year = Duration.toMillis("365 days")
        yield* completed(1)
        yield* completed(2)
        yield* completed(3)
        yield* removed(1, { at: at(1_000) })
        yield* removed(2, { at: at(1_000 + year) })
        expect(yield* hide(1)).toEqual([])
        yield* removed(3, { at: at(1_001 + year) })
        expect(yield* Effect.flip(hide(1))).toBeInstanceOf(errors.JobNotFound)
        expect(yield* hide(2)).toEqual([])
      }).pipe(Effect.provide(layer))
    )

    it.effect("is not found if it is of another kind, was never there, or was pruned", () =>
      Effect.gen(function* () {
        const store = yield* Store
        yield* completed(1)
        expect(yield* Effect.flip(hide(1, { kind: "other" }))).toBeInstanceOf(errors.JobNotFound)
        expect(yield* Effect.flip(hide(2))).toBeInstanceOf(errors.JobNotFound)
        yield* TestClock.setTime(10)
        yield* store.retain({ kind, retention: { completed: 0 }, forget: () => Effect.fail("not yet") })
        yield* store.prune()
        expect(yield* hasHidden).toBe(true)
        expect(yield* Effect.flip(hide(1))).toBeInstanceOf(errors.JobNotFound)
      }).pipe(Effect.scoped, Effect.provide(layer))
    )

    it.effect("goes with all runs of its chain, whichever of them is named", () =>
      Effect.gen(function* () {
        for (const [first, named] of [
          [1, 1],
          [11, 12],
          [21, 23]
        ] as const) {
          yield* completed(first)
          for (const n of [first + 1, first + 2]) yield* Effect.zipRight(retried(n - 1, n), complete(n))
          expect([...(yield* hide(named))].sort()).toEqual([id(first), id(first + 1), id(first + 2)])
        }
        expect(yield* listed).toEqual([])
      }).pipe(Effect.provide(layer))
    )

    it.effect("leaves a fresh retry, which begins another chain", () =>
      Effect.gen(function* () {
        yield* completed(1)
        yield* retried(1, 2, { fresh: true })
        yield* removed(1)
        expect(yield* listed).toEqual([id(2)])
        expect((yield* record(id(2))).status).toBe("running")
      }).pipe(Effect.provide(layer))
    )

    it.effect("frees its idempotency key", () =>
      Effect.gen(function* () {
        const { create } = yield* Store
        const idempotency = { key: "order-1", request: "r" }
        yield* completed(1, { idempotency })
        expect(yield* create(newRun(2, { idempotency }))).toEqual({ _tag: "Existing", id: id(1) })
        yield* hide(1)
        expect(yield* create(newRun(3, { idempotency }))).toMatchObject({ _tag: "Running" })
      }).pipe(Effect.provide(layer))
    )

    it.effect(
      "is missed by a subscriber that has not received its events, even within the time that it holds them",
      () =>
        Effect.gen(function* () {
          const { subscribers } = yield* Store
          yield* subscribers.register({ name: "mail", from: "start", hold: Duration.days(1), at: at(1) })
          yield* completed(1)
          yield* removed(1)
          const [mail] = yield* subscribers.list
          expect(mail?.gap).toMatchObject({ from: 1 })
        }).pipe(Effect.provide(layer))
    )

    it.effect("stays hidden while what it has left elsewhere cannot be removed, until a pruning can", () =>
      Effect.gen(function* () {
        const store = yield* Store
        const asked: Array<string> = []
        yield* completed(1)
        yield* completed(2)
        yield* deleted(yield* hide(1), () => Effect.fail("the disk is away"))
        expect(yield* hasHidden).toBe(true)
        yield* TestClock.setTime(10)
        const forget: RunStore.Rule["forget"] = (jobId, why) => Effect.sync(() => void asked.push(`${jobId} ${why}`))
        yield* store.retain({ kind, retention: { completed: 0 }, forget })
        yield* store.prune()
        expect(asked).toEqual([`${id(1)} removed`, `${id(2)} pruned`])
        expect(yield* hasHidden).toBe(false)
      }).pipe(Effect.scoped, Effect.provide(layer))
    )
  })

  describe("the removal of a job is refused, and changes nothing,", () => {
    it.effect("while it is pinned, unless pinned jobs are removed, too", () =>
      Effect.gen(function* () {
        const { pin } = yield* Store
        yield* completed(1)
        yield* Effect.zipRight(retried(1, 2), complete(2))
        yield* pin(id(1))
        expect(yield* refused(1)).toEqual(["pinned", undefined])
        expect(yield* refused(2)).toEqual(["pinned", id(1)])
        expect((yield* record(id(1))).pinned).toBe(true)
        expect(yield* hide(2, { isPinnedToo: true })).toHaveLength(2)
      }).pipe(Effect.provide(layer))
    )

    it.effect("while it, or another run of its chain, is not over", () =>
      Effect.gen(function* () {
        yield* created(1)
        expect(yield* refused(1)).toEqual(["active", undefined])
        yield* complete(1)
        yield* retried(1, 2)
        expect(yield* refused(1)).toEqual(["active", id(2)])
        expect(yield* refused(2)).toEqual(["active", undefined])
        expect(yield* listed).toEqual([id(2), id(1)])
        yield* complete(2)
        expect(yield* hide(1)).toHaveLength(2)
      }).pipe(Effect.provide(layer))
    )

    it.effect("while a child is not over", () =>
      Effect.gen(function* () {
        const { begin } = yield* Store
        yield* created(1)
        yield* child(2, 1)
        yield* complete(1)
        expect(yield* refused(1)).toEqual(["child", id(2)])
        yield* begin({ jobId: id(2), attempt: 1, key: undefined, at: at(3) })
        yield* complete(2)
        expect(yield* hide(1)).toEqual([id(1)])
        expect(yield* listed).toEqual([id(2)])
      }).pipe(Effect.provide(layer))
    )

    it.effect("while its parent, or the run that retries its parent, is not over", () =>
      Effect.gen(function* () {
        const { begin, record } = yield* Store
        yield* created(1)
        yield* child(2, 1)
        yield* begin({ jobId: id(2), attempt: 1, key: undefined, at: at(3) })
        yield* complete(2)
        expect(yield* refused(2)).toEqual(["parent", id(1)])
        yield* record({ type: "job.failed", jobId: id(1), attempt: 1, at: at(4), error })
        yield* retried(1, 3)
        expect(yield* refused(2)).toEqual(["parent", id(3)])
        yield* complete(3)
        expect(yield* hide(2)).toEqual([id(2)])
        expect(yield* listed).toEqual([id(3), id(1)])
      }).pipe(Effect.provide(layer))
    )

    it.effect("while one of its processes may be alive", () =>
      Effect.gen(function* () {
        const { childProcesses } = yield* Store
        yield* created(1)
        const cookie = "c"
        yield* childProcesses.open({ cookie, jobId: id(1), attempt: 1, bootId: "b", purpose: "agent", at: at(1) })
        yield* complete(1)
        expect(yield* refused(1)).toEqual(["process", undefined])
        yield* childProcesses.close({ cookie, at: at(2) })
        expect(yield* hide(1)).toEqual([id(1)])
      }).pipe(Effect.provide(layer))
    )
  })
}
