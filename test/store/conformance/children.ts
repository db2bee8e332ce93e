/** The children of jobs, and the parents that wait for them. */
import { describe, expect, it } from "@effect/vitest"
import { Run, RunStore } from "charlotte"
import { Array, DateTime, Duration, Effect, Exit, type Layer, Option } from "effect"
import type { NewChild } from "../../../src/store/port/RunStoreService.js"
import { at, created, error, id, kind, log, newRun, record } from "../runs.js"

const { RunStore: Store } = RunStore

const other = "part"

/** The n-th run, as a child of the first. */
const child = (n: number, with_: Partial<NewChild> = {}): NewChild => ({
  chain: id(1),
  jobId: id(1),
  attempt: 1,
  tries: 0,
  name: `child ${n}`,
  onParentStop: "stop",
  run: newRun(n, { kind: other, idempotency: { key: `${id(1)}/child ${n}`, request: "" } }),
  ...with_
})

const started = (n: number, with_?: Partial<NewChild>) =>
  Effect.flatMap(Store, ({ children }) => children.start(child(n, with_)))

const parked = (childEnds: number, n = 1, attempt = 1) =>
  Effect.flatMap(Store, (store) =>
    store.record({
      ...{ type: "job.parked", jobId: id(n), attempt, at: at(50) },
      parked: new Run.Parked({ reason: "waits for a child", children: 1, childEnds })
    })
  )

const begun = (n: number, attempt = 1) =>
  Effect.flatMap(Store, (store) => store.begin({ jobId: id(n), attempt, key: undefined, at: at(40) }))

const ended = (n: number, type: "job.completed" | "job.failed" | "job.cancelled" = "job.completed") =>
  Effect.flatMap(Store, (store) =>
    store.record({
      ...{ type, jobId: id(n), attempt: 1, at: at(60) },
      ...(type === "job.completed" ? { result: n } : type === "job.failed" ? { error } : {})
    })
  )

const recalled = (n = 1) => Effect.flatMap(Store, ({ children }) => children.recall({ chain: id(1), jobId: id(n) }))

const waitsFor = (n = 1) => Effect.map(record(id(n)), ({ waitsFor }) => waitsFor)

const requested = (of: string) =>
  Effect.flatMap(Store, ({ producers }) =>
    Effect.map(producers.requests(of), (all) =>
      all.map(({ asks, jobId }) => `${Option.match(asks, { onNone: () => "?", onSome: ({ _tag }) => _tag })} ${jobId}`)
    )
  )

export const children = (layer: Layer.Layer<RunStore.RunStore>) => {
  describe("children", () => {
    it.effect("are started once by name, are listed, and know their parent", () =>
      Effect.gen(function* () {
        const { children } = yield* Store
        yield* created(1)
        expect(yield* recalled()).toEqual({ children: [], ends: 0 })
        expect(yield* started(2)).toEqual({ id: id(2), kind: other, status: "pending" })
        expect(yield* started(3, { name: "child 2" })).toMatchObject({ id: id(2) })
        yield* started(4, { onParentStop: "leave" })
        expect(yield* record(id(2))).toMatchObject({ kind: other, status: "pending", parent: id(1) })
        expect((yield* record(id(1))).parent).toBeUndefined()
        const listed = [
          { name: "child 4", jobId: id(4), kind: other, status: "pending", onParentStop: "leave" },
          { name: "child 2", jobId: id(2), kind: other, status: "pending", onParentStop: "stop" }
        ]
        expect(yield* children.list({ chain: id(1), limit: 9 })).toMatchObject(listed)
        expect(yield* children.list({ chain: id(1), limit: 1 })).toMatchObject(listed.slice(0, 1))
        expect(yield* children.list({ chain: id(1), before: id(4), limit: 9 })).toMatchObject(listed.slice(1))
        const kept = { id: id(2), name: "child 2", kind: other, askedBy: id(1), tries: 0, status: "pending" }
        expect((yield* recalled()).children).toContainEqual(kept)
        expect(yield* log(id(1))).toEqual(["1 job.started"])
      }).pipe(Effect.provide(layer))
    )

    it.effect("are refused to an attempt that is over", () =>
      Effect.gen(function* () {
        yield* created(1)
        yield* ended(1)
        expect(yield* Effect.flip(started(2))).toMatchObject({ _tag: "Superseded", jobId: id(1) })
      }).pipe(Effect.provide(layer))
    )

    it.effect("make a parked parent due with the commit of their end, and its manager is told", () =>
      Effect.gen(function* () {
        const store = yield* Store
        yield* created(1)
        yield* started(2)
        yield* begun(2)
        expect(yield* parked(0)).toBe("job.parked")
        expect(yield* waitsFor()).toBe("child")
        expect(yield* store.due({ kind, statuses: ["parked"], limit: 9 })).toEqual([])
        yield* ended(2)
        expect(yield* waitsFor()).toBe("permit")
        expect(yield* store.due({ kind, statuses: ["parked"], limit: 9 })).toHaveLength(1)
        yield* begun(1, 2)
        const { events } = yield* Effect.flatten(store.events({ kind, jobId: id(1), after: 2, limit: 9 }))
        expect(events).toMatchObject([{ type: "job.resumed", payload: { attempt: 2, by: "child" } }])
        expect(yield* recalled()).toMatchObject({ children: [{ status: "completed" }], ends: 1 })
      }).pipe(Effect.provide(layer))
    )

    for (const type of ["job.completed", "job.failed", "job.cancelled"] as const) {
      it.effect(`that end between the read and the park of their parent (${type}) make it due at once`, () =>
        Effect.gen(function* () {
          yield* created(1)
          yield* started(2)
          const { ends } = yield* recalled()
          yield* begun(2)
          yield* ended(2, type)
          yield* parked(ends)
          expect(yield* waitsFor()).toBe("permit")
        }).pipe(Effect.provide(layer))
      )
    }

    it.effect(
      "that have failed are handled while their parent is not over, and after it if it has read the failure",
      () =>
        Effect.gen(function* () {
          const store = yield* Store
          const listed = (handled: boolean) =>
            Effect.map(store.page({ status: "failed", handled }), ({ runs }) => runs.map(({ id }) => id))
          yield* created(1)
          for (const n of [2, 3]) {
            yield* started(n)
            yield* begun(n)
            yield* ended(n, "job.failed")
          }
          yield* created(4)
          yield* ended(4, "job.failed")
          expect(yield* record(id(2))).toMatchObject({ handled: true })
          expect(yield* listed(true)).toEqual([id(3), id(2)])
          expect(yield* listed(false)).toEqual([id(4)])

          yield* store.steps.record({
            ...{ chain: id(1), jobId: id(1), attempt: 1, tries: 0, seq: 1, at: at(70), millis: 0, replaces: false },
            ...{ name: "child/child 2", ok: false, value: undefined }
          })
          yield* ended(1)
          expect((yield* record(id(3))).handled).toBeUndefined()
          expect(yield* listed(true)).toEqual([id(2)])
          expect(yield* listed(false)).toEqual([id(4), id(3)])
          const failed = { status: "failed", handled: false, limit: 1 } as const
          expect(yield* store.page(failed)).toMatchObject({ runs: [{ id: id(4) }], next: Option.some(id(4)) })
        }).pipe(Effect.provide(layer))
    )

    it.effect("whose ends were read do not make their parent due again", () =>
      Effect.gen(function* () {
        yield* created(1)
        yield* started(2)
        yield* started(3)
        yield* begun(2)
        yield* ended(2)
        yield* parked((yield* recalled()).ends)
        expect(yield* waitsFor()).toBe("child")
      }).pipe(Effect.provide(layer))
    )

    it.effect("wake a parent of many at the last end that it waits for, or 50 ms for each after the first", () =>
      Effect.gen(function* () {
        const store = yield* Store
        yield* created(1)
        const awaited = Array.makeBy(11, (n) => n + 2)
        // It does not wait for the last, which goes on.
        for (const n of [...awaited, 13]) {
          yield* started(n)
          yield* begun(n)
        }
        yield* store.record({
          ...{ type: "job.parked", jobId: id(1), attempt: 1, at: at(50) },
          parked: new Run.Parked({ reason: "waits for 11 children", children: 11, childEnds: 0 })
        })
        for (const n of awaited) {
          yield* ended(n)
          if (n === 12) break
          expect(yield* waitsFor()).toBe("time")
          expect(Option.map(yield* store.nextDueAt(kind), DateTime.toEpochMillis)).toEqual(Option.some(60 + 11 * 50))
        }
        expect(yield* waitsFor()).toBe("permit")
      }).pipe(Effect.provide(layer))
    )

    it.effect("do not wake a parent that has parked for something else", () =>
      Effect.gen(function* () {
        const store = yield* Store
        yield* created(1)
        yield* started(2)
        yield* begun(2)
        yield* store.record({
          ...{ type: "job.parked", jobId: id(1), attempt: 1, at: at(50) },
          parked: new Run.Parked({ reason: "waits", signal: "go" })
        })
        yield* ended(2)
        expect(yield* waitsFor()).toBe("signal")
      }).pipe(Effect.provide(layer))
    )

    it.effect(
      "are stopped with their parent in one commit: pending ones are cancelled, others are requested to stop",
      () =>
        Effect.gen(function* () {
          const store = yield* Store
          yield* created(1)
          for (const n of [2, 3, 4]) yield* started(n)
          yield* started(5, { onParentStop: "leave" })
          yield* begun(2)
          yield* begun(4)
          yield* ended(4)
          yield* store.record({ type: "job.stopping", jobId: id(1), attempt: 1, at: at(70) })
          expect((yield* record(id(2))).status).toBe("running")
          expect((yield* record(id(3))).status).toBe("cancelled")
          expect((yield* record(id(5))).status).toBe("pending")
          expect(yield* requested(other)).toEqual([`Stop ${id(2)}`])
          yield* started(6)
          yield* store.record({ type: "job.cancelled", jobId: id(1), attempt: 1, at: at(80) })
          expect((yield* record(id(6))).status).toBe("cancelled")
        }).pipe(Effect.provide(layer))
    )

    it.effect("are stopped with a parked parent, cancelled or woken by its stop", () =>
      Effect.gen(function* () {
        const store = yield* Store
        yield* created(1)
        yield* started(3)
        yield* parked(0)
        yield* store.wake(id(1), "stop")
        expect((yield* record(id(3))).status).toBe("cancelled")
      }).pipe(Effect.provide(layer))
    )

    it.effect("that have failed are retried by a retry of their parent, which becomes the parent", () =>
      Effect.gen(function* () {
        const store = yield* Store
        yield* created(1)
        for (const n of [2, 3, 4]) {
          yield* started(n)
          yield* begun(n)
        }
        yield* ended(2, "job.failed")
        yield* ended(3)
        expect(yield* started(5, { name: "child 2" })).toMatchObject({ id: id(2), status: "failed" })
        yield* ended(1, "job.failed")
        yield* store.create(newRun(6, { retryOf: { id: id(1), fresh: false } }))
        const again = { jobId: id(6) }
        expect(yield* started(7, { ...again, name: "child 2" })).toMatchObject({ id: id(7), status: "pending" })
        expect(yield* started(8, { ...again, name: "child 3" })).toMatchObject({ id: id(3), status: "completed" })
        expect(yield* started(9, { ...again, name: "child 4" })).toMatchObject({ id: id(4), status: "running" })
        expect(yield* record(id(7))).toMatchObject({ retryOf: id(2), chain: id(2), parent: id(6) })
        yield* parked((yield* recalled(6)).ends, 6)
        yield* ended(4)
        expect(yield* waitsFor(6)).toBe("permit")
      }).pipe(Effect.provide(layer))
    )

    it.effect("are kept until their parent is over, and are removed with the record of their parent", () =>
      Effect.scoped(
        Effect.gen(function* () {
          const store = yield* Store
          const keepNothing = { retention: { maxRuns: 0 }, forget: () => Effect.void }
          yield* store.retain({ kind: other, ...keepNothing })
          yield* created(1)
          yield* started(2)
          yield* begun(2)
          yield* ended(2)
          yield* store.prune({ kind: other })
          expect(Option.isSome(yield* store.get(id(2)))).toBe(true)
          yield* ended(1)
          yield* store.prune({ kind: other })
          expect(Option.isNone(yield* store.get(id(2)))).toBe(true)
          const [gone] = yield* store.children.list({ chain: id(1), limit: 9 })
          expect(gone).toMatchObject({ jobId: id(2) })
          expect(gone?.status).toBeUndefined()
          yield* store.retain({ kind, ...keepNothing })
          yield* store.prune({ kind })
          expect(yield* store.children.list({ chain: id(1), limit: 9 })).toEqual([])
        })
      ).pipe(Effect.provide(layer))
    )

    it.live("that end while their parent parks never leave it waiting", () =>
      Effect.gen(function* () {
        for (let n = 10; n < 60; n += 2) {
          yield* created(n)
          const of = { chain: id(n), jobId: id(n) }
          yield* started(n + 1, of)
          yield* begun(n + 1)
          const { children } = yield* Store
          const { ends } = yield* children.recall(of)
          const both = yield* Effect.all([Effect.exit(parked(ends, n)), Effect.exit(ended(n + 1))], {
            concurrency: "unbounded"
          })
          expect(both.every(Exit.isSuccess)).toBe(true)
          expect(yield* waitsFor(n)).toBe("permit")
        }
      }).pipe(Effect.provide(layer), Effect.timeout(Duration.minutes(10)))
    )
  })
}
