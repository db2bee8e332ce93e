import { describe, expect, it } from "@effect/vitest"
import { Run, RunStore } from "charlotte"
import { Effect, Exit, type Layer } from "effect"
import { at, created, id, kind, newRun, record } from "../runs.js"
import { eventually } from "./eventually.js"

const statuses = ["interrupted", "parked", "pending"] as const

const limited = (maxPerGroup: number | undefined, isManual = false) =>
  Effect.flatMap(RunStore.RunStore, ({ groups }) => groups.register({ kind, maxPerGroup, isManual }))

/** The numbers of the due runs, in the order in which they begin. */
const due = Effect.flatMap(RunStore.RunStore, (store) =>
  Effect.map(store.due({ kind, statuses, limit: 99 }), (runs) => runs.map(({ run }) => Number(run.labels["n"])))
)

const countDue = Effect.flatMap(RunStore.RunStore, (store) => store.countDue({ kind, statuses, limit: 99 }))

const running = (n: number, group: string | undefined) => created(n, { group, labels: { n: `${n}` } })
const waiting = (n: number, group: string | undefined, with_: Partial<RunStore.NewRun> = {}) =>
  created(n, { group, isQueued: true, labels: { n: `${n}` }, ...with_ })

const waitsFor = (n: number) => Effect.map(record(id(n)), ({ waitsFor }) => waitsFor)

const begin = (n: number, attempt = 1) =>
  Effect.flatMap(RunStore.RunStore, (store) => store.begin({ jobId: id(n), attempt, key: undefined, at: at(100 + n) }))

const change = (type: RunStore.Change["type"], n: number, with_: Partial<RunStore.Change> = {}) =>
  Effect.flatMap(RunStore.RunStore, (store) =>
    store.record({ type, jobId: id(n), attempt: 1, at: at(200 + n), ...with_ })
  )

export const groups = (layer: Layer.Layer<RunStore.RunStore>) => {
  describe("the groups of a kind", () => {
    it.effect("record the group of a run, and limit nothing without a limit", () =>
      Effect.gen(function* () {
        yield* running(1, "a")
        yield* running(2, "a")
        yield* waiting(3, "a")
        yield* running(4, undefined)
        expect(yield* record(id(1))).toMatchObject({ group: "a", status: "running" })
        expect(yield* record(id(4))).not.toHaveProperty("group")
        yield* eventually(waitsFor(3), "permit")
        expect(yield* due).toEqual([3])
      }).pipe(Effect.provide(layer))
    )

    it.effect("refuse a new run of a full group, and no run of another group or without one", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        yield* limited(2)
        yield* running(1, "a")
        yield* running(2, "a")
        const full = { _tag: "MaxJobsReached", maxJobs: 2, reason: "group", group: "a" }
        expect(yield* Effect.flip(store.create(newRun(3, { group: "a" })))).toMatchObject(full)
        expect(yield* Effect.flip(store.create(newRun(3, { group: "a", startKey: "k" })))).toMatchObject(full)
        expect(yield* store.list({ kind })).toHaveLength(2)
        yield* running(4, "b")
        yield* running(5, undefined)
        yield* running(6, undefined)
        expect(yield* running(7, undefined)).toBe(id(7))
        yield* change("job.completed", 1, { result: null })
        expect(yield* store.create(newRun(8, { group: "a" }))).toEqual({ _tag: "Running" })
      }).pipe(Effect.provide(layer))
    )

    it.effect("answer a known idempotency key, and attach, though the group is full", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        yield* limited(1)
        const idempotency = { key: "k", request: "r" }
        yield* created(1, { group: "a", idempotency, startKey: "s" })
        expect(yield* store.create(newRun(2, { group: "a", idempotency }))).toEqual({ _tag: "Existing", id: id(1) })
        const attaching = newRun(3, { group: "a", startKey: "s", whenKeyTaken: "attach" })
        expect(yield* store.create(attaching)).toEqual({ _tag: "Existing", id: id(1) })
      }).pipe(Effect.provide(layer))
    )

    it.effect("let only the first run of a group with room be due; the others wait for their group", () =>
      Effect.gen(function* () {
        yield* limited(1)
        yield* running(1, "full")
        yield* waiting(2, "full")
        yield* waiting(3, "free")
        yield* waiting(4, "free")
        yield* waiting(5, undefined)
        expect(yield* due).toEqual([3, 5])
        expect(yield* countDue).toBe(2)
        expect(yield* Effect.forEach([2, 3, 4, 5], waitsFor)).toEqual(["group", "permit", "group", "permit"])
        expect(yield* Effect.flip(begin(2))).toMatchObject({ _tag: "MaxJobsReached", reason: "group" })
        expect(yield* begin(3)).toBe("running")
        expect(yield* Effect.flip(begin(4))).toMatchObject({ _tag: "MaxJobsReached", reason: "group" })
        yield* eventually(due, [5])
        yield* change("job.completed", 1, { result: null })
        yield* eventually(due, [2, 5])
        yield* change("job.failed", 3, { error: { kind: "failure", error: "x", cause: "x" } })
        yield* eventually(due, [2, 4, 5])
      }).pipe(Effect.provide(layer))
    )

    it.effect("refuse a new run while as many of its group wait as there is room, so that none overtakes", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        yield* limited(2)
        yield* waiting(1, "a")
        expect(yield* store.groups.get(kind, "a")).toEqual({ most: 2, active: 0, waiting: 1 })
        yield* running(2, "a")
        expect(yield* Effect.flip(store.create(newRun(3, { group: "a" })))).toMatchObject({ reason: "group" })
      }).pipe(Effect.provide(layer))
    )

    it.effect("begin in the order of priority, of active jobs of the group, of status, and of id", () =>
      Effect.gen(function* () {
        yield* limited(3)
        yield* running(1, "busy")
        yield* running(2, "busy")
        yield* running(3, "some")
        yield* waiting(4, "busy")
        yield* waiting(5, "some")
        yield* waiting(6, "idle")
        yield* waiting(7, undefined)
        yield* waiting(8, "busy", { priority: 1 })
        yield* eventually(due, [8, 6, 7, 5])
        yield* change("job.interrupted", 3)
        yield* eventually(due, [8, 3, 6, 7])
      }).pipe(Effect.provide(layer))
    )

    it.effect("have as first the run of the highest priority, also after it was changed or cancelled", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        yield* limited(1)
        for (const n of [1, 2, 3]) yield* waiting(n, "a")
        yield* eventually(due, [1])
        yield* store.reschedule({ kind, jobId: id(3), priority: 5, at: at(50) })
        yield* eventually(due, [3])
        yield* change("job.cancelled", 3)
        yield* eventually(due, [1])
        yield* change("job.cancelled", 1)
        yield* eventually(due, [2])
      }).pipe(Effect.provide(layer))
    )

    it.effect("count attempts only: a run that parks or is interrupted leaves room, and waits for it again", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        yield* limited(1)
        yield* running(1, "a")
        yield* waiting(2, "a")
        yield* change("job.parked", 1, { parked: new Run.Parked({ reason: "waits", signal: "go" }) })
        yield* eventually(due, [2])
        expect(yield* begin(2)).toBe("running")
        yield* store.signal({
          jobId: id(1),
          kind,
          name: "go",
          payload: undefined,
          limit: 9,
          at: at(300)
        })
        expect(yield* waitsFor(1)).toBe("group")
        expect(yield* due).toEqual([])
        expect(yield* Effect.flip(begin(1, 2))).toMatchObject({ reason: "group" })
        yield* change("job.interrupted", 2)
        yield* eventually(due, [2])
        expect(yield* begin(2, 2)).toBe("running")
        yield* change("job.completed", 2, { attempt: 2, result: null })
        yield* eventually(due, [1])
        expect(yield* begin(1, 2)).toBe("running")
      }).pipe(Effect.provide(layer))
    )

    it.effect("take in runs whose time has come, and runs that get their key", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        yield* limited(1)
        yield* waiting(1, "a", { isQueued: false, startAt: at(1_000) })
        yield* waiting(2, "b", { isQueued: false, startKey: "k" })
        yield* waiting(3, "c", { isQueued: false, startKey: "k", whenKeyTaken: "queue" })
        expect(yield* Effect.forEach([1, 3], waitsFor)).toEqual(["time", "key"])
        expect(yield* store.wakeDue({ kind, at: at(1_000) })).toBe(1)
        yield* change("job.completed", 2, { result: null })
        yield* eventually(due, [1, 3])
      }).pipe(Effect.provide(layer))
    )

    it.effect("follow another limit as soon as it is recorded; a lower one stops no job", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        yield* limited(1)
        yield* running(1, "a")
        yield* waiting(2, "a")
        yield* waiting(3, "a")
        expect(yield* due).toEqual([])
        yield* limited(2)
        expect(yield* due).toEqual([2])
        expect(yield* begin(2)).toBe("running")
        yield* limited(1)
        expect(yield* Effect.flip(begin(3))).toMatchObject({ maxJobs: 1, reason: "group" })
        expect(yield* store.groups.get(kind, "a")).toMatchObject({ most: 1, active: 1 })
        yield* change("job.completed", 1, { result: null })
        yield* eventually(due, [])
        yield* limited(undefined)
        expect(yield* due).toEqual([3])
      }).pipe(Effect.provide(layer))
    )

    it.effect("let an attempt for a stop begin though the kind is paused, if they have room", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        yield* limited(1)
        const parked = new Run.Parked({ reason: "waits", signal: "go" })
        for (const n of [1, 2]) {
          yield* created(n, { group: "a", labels: { n: `${n}` } })
          yield* change("job.parked", n, { parked })
        }
        yield* created(3, { group: "a", labels: { n: "3" } })
        yield* waiting(4, "a", { priority: 5 })
        yield* store.kinds.pause({ kind, at: at(5) })
        yield* store.wake(id(2), "stop")
        yield* eventually(due, [])
        yield* change("job.completed", 3)
        yield* eventually(due, [2])
        expect(yield* begin(2, 2)).toBe("stopping")
      }).pipe(Effect.provide(layer))
    )

    it.effect("are held back by no run that a version of the kind has refused: its nodes begin the next one", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        const dueFor = (version: string) =>
          Effect.map(store.due({ kind, statuses, limit: 99, version }), (runs) =>
            runs.map(({ run }) => Number(run.labels["n"]))
          )
        yield* limited(1)
        yield* waiting(1, "a", { priority: 1 })
        for (const n of [2, 3]) yield* waiting(n, "a")
        yield* waiting(4, "b")
        const refused = (version: string, ...ids: ReadonlyArray<number>) =>
          store.cluster.refuse(
            version,
            ids.map((n) => ({ jobId: id(n), reason: "no" }))
          )
        yield* refused("v1", 1)
        expect(yield* dueFor("v1")).toEqual([2, 4])
        expect(yield* dueFor("v2")).toEqual([1, 4])
        expect(yield* due).toEqual([1, 4])
        yield* refused("v1", 2, 3)
        yield* refused("v2", 4)
        expect(yield* dueFor("v1")).toEqual([4])
        expect(yield* dueFor("v2")).toEqual([1])
        expect(yield* begin(2)).toBe("running")
        expect(yield* dueFor("v2")).toEqual([])
      }).pipe(Effect.provide(layer))
    )

    it.effect("are held back by no interrupted run that waits for a person", () =>
      Effect.gen(function* () {
        yield* limited(1, true)
        yield* running(1, "a")
        yield* waiting(2, "a")
        yield* change("job.interrupted", 1)
        yield* eventually(due, [2])
        expect(yield* begin(1, 2)).toBe("running")
        yield* eventually(due, [])
      }).pipe(Effect.provide(layer))
    )

    it.effect("wait for the end of a pause, too, and are listed in the order in which they begin", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        yield* limited(1)
        for (const [n, group] of [
          [1, "a"],
          [2, "a"],
          [3, undefined],
          [4, "b"]
        ] as const)
          yield* waiting(n, group)
        yield* waiting(5, "b", { priority: 2 })
        const page = store.page({ kind, status: "pending", order: "queue", limit: 2 })
        const first = yield* page
        expect(first.runs.map(({ id }) => id)).toEqual([id(3), id(5)])
        const before = first.runs.at(-1)?.id
        const rest = yield* store.page({ kind, status: "pending", order: "queue", limit: 9, ...(before && { before }) })
        expect(rest.runs.map(({ id }) => id)).toEqual([id(1), id(2), id(4)])
        yield* store.kinds.pause({ kind, at: at(5) })
        expect(yield* due).toEqual([])
        expect(yield* waitsFor(2)).toBe("paused")
        yield* store.kinds.unpause(kind)
        expect(yield* due).toEqual([5, 1, 3])
      }).pipe(Effect.provide(layer))
    )

    it.effect("never have more running jobs than allowed when many begin at the same time", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        yield* limited(3)
        for (let n = 1; n <= 20; n++) yield* waiting(n, n % 2 === 0 ? "a" : "b")
        const begun = yield* Effect.forEach(
          Array.from({ length: 20 }, (_, i) => i + 1),
          (n) => Effect.exit(begin(n)),
          { concurrency: "unbounded" }
        )
        expect(begun.filter(Exit.isSuccess)).toHaveLength(6)
        const started = yield* Effect.forEach(
          Array.from({ length: 20 }, (_, i) => i + 21),
          (n) => Effect.exit(store.create(newRun(n, { group: `${n % 3}` }))),
          { concurrency: "unbounded" }
        )
        expect(started.filter(Exit.isSuccess)).toHaveLength(9)
      }).pipe(Effect.provide(layer))
    )
  })
}
