import { describe, expect, it } from "@effect/vitest"
import { errors, type JobId, RunStore } from "charlotte"
import { Array, Duration, Effect, FastCheck, type Layer, Option, Runtime, Stream, TestClock } from "effect"
import * as Runs from "../../../src/store/Runs.js"
import { joinedAt } from "../../support/interleaving.js"
import { at, created, error, event, id, kind, log, newRun, record } from "../runs.js"
import { planOf } from "../work.js"

const { RunStore: Store } = RunStore

const minute = 60_000

type Status = "completed" | "failed" | "cancelled"

const end = (n: number, status: Status, minutes: number) =>
  Effect.flatMap(Store, ({ record }) => {
    const change = { jobId: id(n), attempt: 1, at: at(minutes * minute), type: `job.${status}` as const }
    return record(status === "failed" ? { ...change, error } : change)
  })

/** The n-th run, which ended at n minutes. */
const ended = (n: number, status: Status = "completed", with_: Partial<RunStore.NewRun> = {}) =>
  Effect.zipRight(created(n, with_), end(n, status, n))

/** Prunes by a retention of the kind, at so many minutes. */
const prunedBy = (
  minutes: number,
  retention: RunStore.Rule["retention"],
  { forget = () => Effect.void, ...options }: Pick<Partial<RunStore.Rule>, "forget"> & RunStore.PruneOptions = {}
) =>
  Effect.gen(function* () {
    const { prune, retain } = yield* Store
    yield* TestClock.setTime(minutes * minute)
    yield* retain({ kind: options.kind ?? kind, retention, forget })
    return yield* prune(options)
  }).pipe(Effect.scoped)

const kept = Effect.flatMap(Store, ({ list }) =>
  Effect.map(list({ limit: 1_000 }), (runs) => runs.map(({ id }) => id).reverse())
)

const ids = (...numbers: ReadonlyArray<number>) => numbers.map(id)

export const retention = (layer: Layer.Layer<RunStore.RunStore>) => {
  describe("prune", () => {
    it.effect("removes the runs that ended so long ago, by status", () =>
      Effect.gen(function* () {
        yield* ended(1)
        yield* ended(2, "failed")
        yield* ended(3, "cancelled")
        yield* ended(4)
        yield* created(5)
        expect(yield* prunedBy(10, { completed: "6 minutes" })).toEqual([{ kind, runs: 2, jobs: ids(1, 4) }])
        expect(yield* kept).toEqual(ids(2, 3, 5))
      }).pipe(Effect.provide(layer))
    )

    it.effect("treats cancelled runs as failed ones, unless it is said", () =>
      Effect.gen(function* () {
        yield* ended(1, "failed")
        yield* ended(2, "cancelled")
        yield* ended(3, "failed")
        expect(yield* prunedBy(10, { failed: "9 minutes", cancelled: "1 hour" })).toMatchObject([{ jobs: ids(1) }])
        expect(yield* prunedBy(10, { failed: "8 minutes" })).toMatchObject([{ jobs: ids(2) }])
        expect(yield* kept).toEqual(ids(3))
      }).pipe(Effect.provide(layer))
    )

    it.effect("keeps the finished runs that ended last, up to maxRuns", () =>
      Effect.gen(function* () {
        yield* ended(4, "failed")
        yield* ended(1)
        yield* created(2)
        yield* ended(3, "cancelled")
        yield* ended(5)
        expect(yield* prunedBy(10, { maxRuns: 2 })).toEqual([{ kind, runs: 2, jobs: ids(1, 3) }])
        expect(yield* kept).toEqual(ids(2, 4, 5))
        expect(yield* prunedBy(10, { maxRuns: 0 })).toMatchObject([{ runs: 2 }])
        expect(yield* kept).toEqual(ids(2))
      }).pipe(Effect.provide(layer))
    )

    it.effect("is needed next when the first of the finished runs that are kept is too old, by its status", () =>
      Effect.gen(function* () {
        const { nextExpiry, pin, retain } = yield* Store
        const next = Effect.map(nextExpiry(kind), Option.getOrUndefined)
        expect(yield* next).toBeUndefined()
        yield* retain({ kind, retention: { completed: "1 hour", failed: "2 minutes" }, forget: () => Effect.void })
        yield* created(9)
        expect(yield* next).toBeUndefined()
        yield* ended(2)
        yield* ended(1)
        expect(yield* next).toEqual(at(61 * minute))
        yield* ended(8, "cancelled")
        expect(yield* next).toEqual(at(10 * minute))
        yield* pin(id(8))
        expect(yield* next).toEqual(at(61 * minute))
        yield* ended(3, "failed", { kind: "other" })
        expect(yield* nextExpiry("other")).toEqual(Option.none())
      }).pipe(Effect.scoped, Effect.provide(layer))
    )

    it.effect("removes nothing without a retention, and nothing of other kinds", () =>
      Effect.gen(function* () {
        const { prune } = yield* Store
        yield* ended(1)
        yield* ended(2, "completed", { kind: "other" })
        expect(yield* prune()).toEqual([])
        expect(yield* prunedBy(10, {})).toEqual([])
        expect(yield* prunedBy(10, { maxRuns: 0 }, { kind: "none" })).toEqual([])
        expect(yield* prunedBy(10, { completed: 0 })).toMatchObject([{ jobs: ids(1) }])
        expect(yield* prune()).toEqual([])
        expect(yield* kept).toEqual(ids(2))
      }).pipe(Effect.provide(layer))
    )

    it.effect("never removes a pinned run, which does not count for maxRuns, until it is unpinned", () =>
      Effect.gen(function* () {
        const { pin, unpin } = yield* Store
        yield* ended(1)
        yield* ended(2)
        yield* created(3)
        yield* pin(id(1))
        yield* pin(id(1))
        expect(yield* record(id(1))).toMatchObject({ pinned: true, status: "completed" })
        expect(yield* record(id(2))).not.toHaveProperty("pinned")
        expect(yield* prunedBy(10, { completed: 0, maxRuns: 1 })).toMatchObject([{ jobs: ids(2) }])
        expect(yield* prunedBy(10, { maxRuns: 0 })).toEqual([])
        yield* unpin(id(1))
        expect(yield* record(id(1))).not.toHaveProperty("pinned")
        expect(yield* prunedBy(10, { maxRuns: 0 })).toMatchObject([{ jobs: ids(1) }])

        // It can be pinned before it ends.
        yield* pin(id(3))
        const { record: change } = yield* Store
        yield* change({ type: "job.completed", jobId: id(3), attempt: 1, at: at(0), result: 1 })
        expect(yield* prunedBy(10, { completed: 0 })).toEqual([])
        expect(yield* record(id(3))).toMatchObject({ pinned: true, result: 1 })
        for (const missing of [id(1), id(99)]) {
          expect(yield* Effect.flip(pin(missing))).toEqual(new errors.JobNotFound({ jobId: missing }))
          expect(yield* Effect.flip(unpin(missing))).toEqual(new errors.JobNotFound({ jobId: missing }))
        }
      }).pipe(Effect.provide(layer))
    )

    it.effect("never removes a run that is pinned at the same time, unless the pin fails", () =>
      Effect.gen(function* () {
        const { get, pin, prune, retain } = yield* Store
        yield* TestClock.setTime(10_000 * minute)
        yield* retain({ kind, retention: { completed: 0 }, forget: () => Effect.void })
        for (let k = 1, isJoined = true; isJoined; k += 3) {
          yield* ended(k)
          const pinned = yield* joinedAt(prune(), k, Effect.isSuccess(pin(id(k))))
          isJoined = Option.isSome(pinned)
          const isThere = Option.isSome(yield* get(id(k)))
          expect({ k, isThere }).toEqual({ k, isThere: Option.contains(pinned, true) })
        }
      }).pipe(Effect.scoped, Effect.provide(layer))
    )

    it.effect("removes all of a run: record, events, labels, submission, tasks, and what is kept elsewhere", () =>
      Effect.gen(function* () {
        const store = yield* Store
        yield* ended(1)
        const idempotency = { key: "k", request: "r" }
        const options = { labels: { team: "web" }, submission: "1", startKey: "a", idempotency }
        yield* created(2, options)
        const attached = { to: { kind, of: "startKey", key: "a" }, idempotency: { ...idempotency, key: "l" } } as const
        expect(yield* store.attach(attached)).toEqual(Option.some(id(2)))
        yield* store.append({ jobId: id(2), attempt: 1, events: Array.makeBy(700, () => event("x", { text: "y" })) })
        yield* store.work.plan({ jobId: id(2), attempt: 1, work: planOf(2, 2) })
        yield* store.signal({ kind, jobId: id(2), name: "s", payload: "1", limit: 9, at: at(2) })
        yield* store.record({ type: "job.completed", jobId: id(2), attempt: 1, at: at(2 * minute), result: 1 })
        yield* ended(3)

        const forgotten: Array<string> = []
        const seen: Array<unknown> = []
        const forget = (jobId: JobId.JobId) =>
          Effect.gen(function* () {
            forgotten.push(jobId)
            // It is gone for readers before anything of it is.
            seen.push(yield* store.get(jobId), yield* store.list({ labels: { team: "web" } }))
          })
        yield* store.pin(id(1))
        yield* store.pin(id(3))
        expect(yield* prunedBy(10, { maxRuns: 0 }, { forget })).toMatchObject([{ jobs: ids(2) }])
        expect(forgotten).toEqual(ids(2))
        expect(seen).toEqual([Option.none(), []])

        expect(yield* store.get(id(2))).toEqual(Option.none())
        expect(yield* store.withWork(id(2))).toEqual(Option.none())
        expect(yield* store.submission(id(2))).toEqual(Option.none())
        expect(yield* store.list({ labels: { team: "web" } })).toEqual([])
        expect(yield* store.work.of(id(2))).toEqual({ units: [], tasks: [] })
        expect(yield* store.latestSignal({ jobId: id(2), name: "s" })).toEqual(Option.none())
        expect(yield* store.events({ kind, jobId: id(2), after: 0, limit: 9 })).toEqual(Option.none())
        const missing = new errors.JobNotFound({ jobId: id(2) })
        expect(yield* Effect.flip(Stream.runDrain(Runs.make(store).events(id(2))))).toEqual(missing)
        const signal = { kind, jobId: id(2), name: "s", payload: undefined, limit: 9, at: at(2) }
        expect(yield* Effect.flip(store.signal(signal))).toEqual(missing)

        // The idempotency keys are free.
        for (const key of ["k", "l"]) expect(yield* store.idempotent({ kind, key })).toEqual(Option.none())
        expect(yield* store.create(newRun(4, options))).toMatchObject({ _tag: "Running" })
        expect(yield* store.attach(attached)).toEqual(Option.some(id(4)))
        expect(yield* log(id(1))).toEqual(["1 job.started", "2 job.completed"])
        expect(yield* log(id(3))).toEqual(["1 job.started", "2 job.completed"])
      }).pipe(Effect.provide(layer))
    )

    it.effect("leaves the cursors of what is there, and never gives one twice", () =>
      Effect.gen(function* () {
        const { allEvents, latestCursor, latestId } = yield* Store
        const cursors = (after: number, limit = 9) =>
          Effect.map(allEvents({ kind, after, limit }), ({ events, more }) => [
            events.map(({ cursor, jobId }) => [cursor, jobId]),
            more
          ])
        for (const n of [1, 2, 3]) yield* ended(n)
        yield* prunedBy(2, { completed: 0 })
        expect(yield* cursors(0)).toEqual([
          [
            [5, id(3)],
            [6, id(3)]
          ],
          false
        ])
        expect(yield* cursors(5, 1)).toEqual([[[6, id(3)]], true])
        yield* prunedBy(10, { completed: 0 })
        expect(yield* latestCursor).toBe(6)
        expect(yield* latestId).toEqual(Option.some(id(3)))
        expect(yield* cursors(6)).toEqual([[], false])
        yield* created(2)
        expect(yield* cursors(0)).toEqual([[[7, id(2)]], false])
        expect(yield* latestId).toEqual(Option.some(id(3)))
        yield* created(9)
        expect(yield* latestId).toEqual(Option.some(id(9)))
      }).pipe(Effect.provide(layer))
    )

    it.effect("counts how often runs were pruned", () =>
      Effect.gen(function* () {
        const { prunings } = yield* Store
        yield* ended(1)
        yield* prunedBy(10, { completed: "1 hour" })
        expect(yield* prunings).toBe(0)
        yield* prunedBy(10, { completed: 0 })
        // On PostgreSQL the number in the database, by which processes learn of each other's, may be seen by then, too.
        expect(yield* prunings).toBeGreaterThanOrEqual(1)
      }).pipe(Effect.provide(layer))
    )

    it.effect("keeps a run whose child processes may be alive, until their record is closed", () =>
      Effect.gen(function* () {
        const { childProcesses } = yield* Store
        yield* created(1)
        const process = { cookie: "c", jobId: id(1), attempt: 1, bootId: "b", purpose: "agent", at: at(1) }
        yield* childProcesses.open(process)
        const { record } = yield* Store
        yield* record({ type: "job.completed", jobId: id(1), attempt: 1, at: at(2), result: 1 })
        yield* ended(2)
        expect(yield* prunedBy(10, { completed: 0, maxRuns: 0 })).toMatchObject([{ jobs: ids(2) }])
        yield* childProcesses.close({ cookie: "c", at: at(3) })
        expect(yield* prunedBy(10, { completed: 0 })).toMatchObject([{ jobs: ids(1) }])
      }).pipe(Effect.provide(layer))
    )

    it.effect("hides a run for which forget fails, and removes it when that succeeds", () =>
      Effect.gen(function* () {
        const { get } = yield* Store
        yield* ended(1)
        const forgotten: Array<string> = []
        const forget = (jobId: JobId.JobId) => Effect.sync(() => void forgotten.push(jobId))
        yield* prunedBy(10, { maxRuns: 0 }, { forget: () => Effect.fail("the disk is read-only") })
        expect(yield* get(id(1))).toEqual(Option.none())
        yield* prunedBy(10, { maxRuns: 0 }, { forget })
        yield* prunedBy(10, { maxRuns: 0 }, { forget })
        expect(forgotten).toEqual(ids(1))
      }).pipe(Effect.provide(layer))
    )

    it.effect("says with dryRun what it would remove, and removes nothing", () =>
      Effect.gen(function* () {
        const numbers = Array.range(1, 9)
        for (const n of numbers) yield* ended(n, n % 3 === 0 ? "failed" : "completed")
        yield* created(10)
        const { pin } = yield* Store
        yield* pin(id(2))
        const retention = { completed: "6 minutes", maxRuns: 4 } as const
        const planned = yield* prunedBy(10, retention, { dryRun: true })
        expect(planned).toEqual([{ kind, runs: 4, jobs: ids(1, 4, 3, 5) }])
        expect(yield* kept).toEqual(ids(...numbers, 10))
        expect(yield* prunedBy(10, retention)).toEqual(planned)
        expect(yield* kept).toEqual(ids(2, 6, 7, 8, 9, 10))
      }).pipe(Effect.provide(layer))
    )

    it.effect("names the first 1,000 of more runs, and counts all of them", () =>
      Effect.gen(function* () {
        const { create, record } = yield* Store
        const numbers = Array.range(1, 1_201)
        yield* Effect.forEach(numbers, (n) => create(newRun(n)), { concurrency: "unbounded" })
        yield* Effect.forEach(numbers, (n) => record({ type: "job.cancelled", jobId: id(n), attempt: 1, at: at(n) }), {
          concurrency: "unbounded"
        })
        const [planned] = yield* prunedBy(10, { failed: 0 }, { dryRun: true })
        expect(planned).toEqual({ kind, runs: 1_201, jobs: ids(...numbers.slice(0, 1_000)) })
        expect(yield* prunedBy(10, { failed: 0 })).toEqual([planned])
      }).pipe(Effect.provide(layer))
    )

    const anyRuns = FastCheck.array(
      FastCheck.record({
        status: FastCheck.constantFrom(
          "running" as const,
          "completed" as const,
          "failed" as const,
          "cancelled" as const
        ),
        pinned: FastCheck.boolean(),
        endedAt: FastCheck.integer({ min: 1, max: 20 })
      }),
      { maxLength: 12 }
    )
    const minutes = FastCheck.integer({ min: 0, max: 20 })
    const anyRule = FastCheck.record(
      { completed: minutes, failed: minutes, cancelled: minutes, maxRuns: FastCheck.integer({ min: 0, max: 6 }) },
      { requiredKeys: [] }
    )

    it.effect("removes what it should and nothing else, whatever runs there are (property)", () =>
      Effect.gen(function* () {
        const runtime = yield* Effect.runtime<RunStore.RunStore>()
        let examples = 0
        const property = FastCheck.asyncProperty(anyRuns, anyRule, (runs, { maxRuns, ...ages }) => {
          const example = (examples += 1)
          const kind = `kind-${example}`
          const idOf = (n: number) => example * 16 + n
          return Effect.gen(function* () {
            const { list, pin } = yield* Store
            for (const [n, { endedAt, pinned, status }] of runs.entries()) {
              yield* created(idOf(n), { kind })
              if (pinned) yield* pin(id(idOf(n)))
              if (status !== "running") yield* end(idOf(n), status, endedAt)
            }
            const { completed = Infinity, failed = Infinity, cancelled = failed } = ages
            const age = { completed, failed, cancelled, running: Infinity }
            const mayGo = [...runs.entries()]
              .filter(([, { pinned, status }]) => status !== "running" && !pinned)
              .sort(([n, a], [m, b]) => a.endedAt - b.endedAt || n - m)
            const young = mayGo.filter(([, { endedAt, status }]) => endedAt > 20 - age[status])
            const stay = maxRuns === undefined ? young : young.slice(Math.max(0, young.length - maxRuns))
            const has = (some: typeof stay, n: number) => some.some(([other]) => other === n)
            const retention = {
              completed: Duration.minutes(completed),
              failed: Duration.minutes(failed),
              cancelled: Duration.minutes(cancelled),
              ...(maxRuns !== undefined && { maxRuns })
            }
            const planned = yield* prunedBy(20, retention, { kind, dryRun: true })
            expect(yield* prunedBy(20, retention, { kind })).toEqual(planned)
            const expected = [...runs.keys()].filter((n) => !has(mayGo, n) || has(stay, n))
            expect((yield* list({ kind })).map(({ id }) => id).reverse()).toEqual(expected.map((n) => id(idOf(n))))
          }).pipe(Runtime.runPromise(runtime))
        })
        yield* Effect.promise(() => FastCheck.assert(property, { numRuns: 50 }))
      }).pipe(Effect.provide(layer))
    )
  })
}
