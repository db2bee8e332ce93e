import { describe, expect, it } from "@effect/vitest"
import { Run, RunStore } from "charlotte"
import { Array, Effect, type Layer, Option } from "effect"
import type { Candidate, NewNode, Placement, Taker } from "../../../src/store/port/RunStoreService.js"
import { at, id, kind, log, newRun, record } from "../runs.js"

const node = (n: number, with_: Partial<NewNode> = {}): NewNode => ({
  id: `127.0.0.1:${n}/1`,
  kind,
  address: `127.0.0.1:${n}`,
  pid: n,
  machine: "a machine",
  capacity: 2,
  ...with_
})

const runner = (n: number) => ({ node: node(n).id, address: node(n).address, capacity: 2 })

/** The n-th run, which each of these nodes may get, under an id of its own. */
const admitted = (
  n: number,
  nodes: readonly [number, ...Array<number>],
  with_: Partial<Placement> = {},
  taker?: Taker
) =>
  Effect.flatMap(RunStore.RunStore, ({ cluster }) => {
    const candidate = (of: number): Candidate => ({ id: id(10 * n + of), address: node(of).address, capacity: 2 })
    const [first, ...others] = nodes
    const placement: Placement = {
      candidates: [candidate(first), ...others.map(candidate)],
      whenFull: "refuse",
      waiting: ["interrupted", "parked", "pending"],
      ...with_
    }
    return cluster.admit(newRun(n), placement, taker)
  })

const limited = (maxJobs: number) =>
  Effect.flatMap(RunStore.RunStore, ({ cluster }) => cluster.limit({ kind, maxJobs }))

const held = Effect.flatMap(RunStore.RunStore, ({ cluster }) =>
  Effect.map(cluster.held(kind), (all) => all.map(({ run, runner }) => [run.id, Option.getOrNull(runner)]))
)

export const cluster = (layer: Layer.Layer<RunStore.RunStore>) => {
  describe("cluster", () => {
    it.effect(
      "begins an attempt for a stop on the node that asks, though the kind is paused, and places it on none",
      () =>
        Effect.gen(function* () {
          const { cluster, kinds, record: change, wake } = yield* RunStore.RunStore
          yield* cluster.join(node(1))
          yield* limited(2)
          const { id: jobId } = yield* admitted(1, [1])
          const parked = new Run.Parked({ reason: "waits", signal: "go" })
          yield* change({ type: "job.parked", jobId, attempt: 1, at: at(3), parked })
          yield* wake(jobId, "stop")
          yield* kinds.pause({ kind, at: at(4) })
          const beginning = { jobId, attempt: 2, key: undefined, at: at(5) }
          expect(yield* cluster.place(beginning, [runner(1)])).toEqual(Option.none())
          const statuses = ["interrupted", "parked", "pending"] as const
          const next = yield* cluster.next({ kind, statuses, version: "v1", shards: [] })
          expect(Option.map(next, ({ run }) => run.id)).toEqual(Option.some(jobId))
          expect(yield* cluster.begin(beginning, runner(1))).toBe("stopping")
          expect(yield* cluster.heldRun(jobId)).toMatchObject({
            value: { address: node(1).address, stopping: true, runner: { value: { node: node(1).id } } }
          })
        }).pipe(Effect.provide(layer))
    )

    it.effect("records the nodes of a kind until they leave, and refuses a second one of the same address", () =>
      Effect.gen(function* () {
        const { cluster } = yield* RunStore.RunStore
        yield* cluster.join(node(1))
        yield* cluster.join(node(2))
        yield* cluster.join(node(1, { id: "of another kind", kind: "other" }))
        const error = yield* Effect.flip(cluster.join(node(1, { id: "again" })))
        expect(error).toMatchObject({ _tag: "NodeConflict", kind, address: node(1).address })
        yield* cluster.drain(node(2).id, true)
        const seenAgo: unknown = expect.any(Number)
        expect(yield* cluster.nodes(kind)).toEqual([
          { ...node(1), isAlive: true, isDraining: false, running: 0, seenAgo },
          { ...node(2), isAlive: true, isDraining: true, running: 0, seenAgo }
        ])
        expect(yield* cluster.renew(node(1).id)).toBe(true)
        yield* cluster.leave(node(1).id)
        expect(yield* cluster.renew(node(1).id)).toBe(false)
        yield* cluster.join(node(1, { id: "again" }))
      }).pipe(Effect.provide(layer))
    )

    it.effect("keeps where the HTTP server of a node is, what it defines, and its version of the kind", () =>
      Effect.gen(function* () {
        const { cluster } = yield* RunStore.RunStore
        const url = "https://node1.example.org:7433"
        yield* cluster.join(node(1, { url, definitions: { "notify.phone": "1a2b" }, version: "2024-06.1" }))
        yield* cluster.join(node(2))
        expect(
          (yield* cluster.nodes(kind)).map(({ definitions, url, version }) => [url, definitions, version])
        ).toEqual([
          [url, { "notify.phone": "1a2b" }, "2024-06.1"],
          [undefined, undefined, undefined]
        ])
      }).pipe(Effect.provide(layer))
    )

    it.effect("places the next attempt of an interrupted run on the node with most room", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        const { cluster } = store
        yield* limited(3)
        yield* cluster.join(node(1))
        yield* cluster.join(node(2))
        yield* admitted(1, [1])
        yield* admitted(2, [1])
        yield* store.record({ type: "job.interrupted", jobId: id(21), attempt: 1, at: at(2) })
        const beginning = { jobId: id(21), attempt: 2, key: undefined, at: at(3) }
        const on = (of: number) => ({ address: node(of).address, capacity: 1 })
        expect(yield* Effect.flip(cluster.place(beginning, [on(1)]))).toMatchObject({ _tag: "MaxJobsReached" })
        expect(yield* cluster.place(beginning, [on(1), on(2)])).toEqual(Option.some(node(2).address))
        expect(yield* Effect.flip(cluster.place(beginning, [on(2)]))).toMatchObject({ _tag: "MaxJobsReached" })
        const more = { address: node(2).address, capacity: 9 }
        expect(yield* Effect.flip(cluster.place(beginning, [more]))).toMatchObject({ _tag: "Superseded" })
        const [placed] = yield* cluster.placed({ kind, address: node(2).address })
        expect(placed).toMatchObject({ run: { id: id(21), attempt: 2, status: "running" }, runner: Option.none() })
        yield* cluster.take({ jobId: id(21), attempt: 2 }, runner(2))
        expect(yield* cluster.placed({ kind, address: node(2).address })).toEqual([])
        expect(yield* record(id(21))).toMatchObject({ attempt: 2, status: "running" })
      }).pipe(Effect.provide(layer))
    )

    it.effect("keeps the limit that is recorded first, until it is changed", () =>
      Effect.gen(function* () {
        const { cluster } = yield* RunStore.RunStore
        expect(yield* cluster.currentLimit(kind)).toEqual(Option.none())
        expect(yield* limited(3)).toBe(3)
        expect(yield* limited(5)).toBe(3)
        yield* cluster.setLimit({ kind, maxJobs: 7 })
        expect(yield* limited(5)).toBe(7)
        expect(yield* cluster.currentLimit(kind)).toEqual(Option.some(7))
      }).pipe(Effect.provide(layer))
    )

    it.effect("begins no run on a node that drains, and does again once that is undone", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        yield* store.cluster.join(node(1))
        yield* limited(3)
        yield* store.create(newRun(1, { isQueued: true }))
        yield* store.cluster.drain(node(1).id, true)
        const begin = store.cluster.begin({ jobId: id(1), attempt: 1, key: undefined, at: at(2) }, runner(1))
        expect(yield* Effect.flip(begin)).toMatchObject({ _tag: "MaxJobsReached" })
        yield* store.cluster.drain(node(1).id, false)
        expect(yield* begin).toBe("running")
      }).pipe(Effect.provide(layer))
    )

    it.effect("places a run on the node with most room, under the id of that node", () =>
      Effect.gen(function* () {
        yield* limited(10)
        const placed = []
        for (const n of [1, 2, 3, 4]) placed.push(yield* admitted(n, [1, 2]))
        expect(placed.map(({ id }) => id)).toEqual([id(11), id(22), id(31), id(42)])
        expect(placed[0]?.created).toEqual({ _tag: "Running" })
        expect(yield* log(id(22))).toEqual(["1 job.started"])
      }).pipe(Effect.provide(layer))
    )

    it.effect("takes a run for the node that asks, in the same transaction, where it runs there at once", () =>
      Effect.gen(function* () {
        const { cluster } = yield* RunStore.RunStore
        yield* cluster.join(node(1))
        yield* limited(3)
        const trace = new Run.RunTrace({ startedBy: "a", root: "b" })
        const taker = { ...runner(1), trace }
        const running = { _tag: "Running" }
        expect(yield* admitted(1, [1, 2], {}, taker)).toEqual({ id: id(11), created: running, isTaken: true })
        expect(yield* admitted(2, [1, 2], {}, taker)).toEqual({ id: id(22), created: running, isTaken: false })
        expect(yield* held).toEqual([
          [id(11), { node: node(1).id, isAlive: true }],
          [id(22), null]
        ])
        expect(yield* cluster.nodes(kind)).toMatchObject([{ address: node(1).address, running: 1 }])
        expect((yield* record(id(11))).trace).toEqual(trace)
        expect((yield* record(id(22))).trace).toBeUndefined()
        const taken = cluster.take({ jobId: id(11), attempt: 1 }, runner(1))
        expect(yield* Effect.flip(taken)).toMatchObject({ _tag: "Superseded" })
        yield* admitted(3, [1], {}, taker)
        const queued = yield* admitted(4, [1], { whenFull: "queue" }, taker)
        expect(queued).toEqual({ id: id(41), created: { _tag: "Pending", replaces: [] }, isTaken: false })
      }).pipe(Effect.provide(layer))
    )

    it.effect("takes no run for a node that is not recorded any more", () =>
      Effect.gen(function* () {
        yield* limited(3)
        expect(yield* admitted(1, [1], {}, { ...runner(1), trace: undefined })).toMatchObject({ isTaken: false })
        expect(yield* held).toEqual([[id(11), null]])
      }).pipe(Effect.provide(layer))
    )

    it.effect("admits no more runs than the limit, and no more on a node than its capacity", () =>
      Effect.gen(function* () {
        yield* limited(3)
        for (const n of [1, 2]) yield* admitted(n, [1])
        expect(yield* Effect.flip(admitted(3, [1]))).toMatchObject({ _tag: "MaxJobsReached", maxJobs: 3 })
        yield* admitted(3, [1, 2])
        expect(yield* Effect.flip(admitted(4, [1, 2]))).toMatchObject({ _tag: "MaxJobsReached" })
        const queued = yield* admitted(4, [1, 2], { whenFull: "queue" })
        expect(queued).toEqual({ id: id(42), created: { _tag: "Pending", replaces: [] }, isTaken: false })
        expect(yield* record(id(42))).toMatchObject({ status: "pending", waitsFor: "permit" })
      }).pipe(Effect.provide(layer))
    )

    it.effect("admits exactly as many as the limit of starts at once", () =>
      Effect.gen(function* () {
        yield* limited(5)
        const starts = Array.makeBy(40, (n) => Effect.either(admitted(n + 1, [1, 2, 3, 4])))
        const answers = yield* Effect.all(starts, { concurrency: "unbounded" })
        expect(answers.filter(({ _tag }) => _tag === "Right")).toHaveLength(5)
        expect(yield* held).toHaveLength(5)
      }).pipe(Effect.provide(layer))
    )

    it.effect("refuses a start only while as many runs are due as permits are free, and says which", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        yield* limited(3)
        yield* store.create(newRun(1, { isQueued: true }))
        for (const n of [2, 3]) yield* admitted(n, [1, 2])
        const refused = Effect.flip(admitted(4, [1, 2]))
        expect(yield* refused).toMatchObject({ _tag: "MaxJobsReached", maxJobs: 3, reason: "queue" })
        expect(yield* admitted(4, [1, 2], { waiting: ["parked"] })).toMatchObject({ created: { _tag: "Running" } })
        expect(yield* refused).toMatchObject({ _tag: "MaxJobsReached", maxJobs: 3, reason: "permits" })
        yield* store.record({ type: "job.cancelled", jobId: id(1), attempt: 1, at: at(9) })
        yield* store.record({ type: "job.cancelled", jobId: id(21), attempt: 1, at: at(9) })
        yield* admitted(5, [1, 2])
      }).pipe(Effect.provide(layer))
    )

    it.effect("counts the runs that are due, up to a limit", () =>
      Effect.gen(function* () {
        const { countDue, create } = yield* RunStore.RunStore
        for (const n of [1, 2, 3]) yield* create(newRun(n, { isQueued: true }))
        yield* create(newRun(4, { startAt: at(1_000) }))
        yield* create(newRun(5, { isQueued: true, kind: "other" }))
        const count = (limit: number) => countDue({ kind, statuses: ["interrupted", "pending"], limit })
        expect([yield* count(10), yield* count(2)]).toEqual([3, 2])
        expect(yield* countDue({ kind, statuses: ["parked"], limit: 10 })).toBe(0)
        expect(yield* countDue({ kind, statuses: [], limit: 10 })).toBe(0)
      }).pipe(Effect.provide(layer))
    )

    it.effect("records the idempotency key of a start that attaches to another job", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        yield* limited(3)
        const admit = (n: number, with_: Partial<RunStore.NewRun>) =>
          store.cluster.admit(newRun(n, { startKey: "a", ...with_ }), {
            candidates: [{ id: id(n), address: node(1).address, capacity: 3 }],
            whenFull: "refuse",
            waiting: ["pending"]
          })
        yield* admit(1, {})
        const attach = { whenKeyTaken: "attach", idempotency: { key: "i", request: "r" } } as const
        const existing = { id: id(1), created: { _tag: "Existing", id: id(1) }, isTaken: false }
        expect(yield* admit(2, attach)).toEqual(existing)
        yield* store.record({ type: "job.cancelled", jobId: id(1), attempt: 1, at: at(9) })
        expect(yield* admit(3, attach)).toEqual(existing)
      }).pipe(Effect.provide(layer))
    )

    it.effect("lists the runs that are placed on an address until a node takes them", () =>
      Effect.gen(function* () {
        const { cluster } = yield* RunStore.RunStore
        yield* cluster.join(node(1))
        yield* limited(4)
        const placed = (address: string) =>
          Effect.map(cluster.placed({ kind, address }), (all) => all.map(({ run }) => run.id))
        for (const n of [1, 2, 3, 4]) yield* admitted(n, [1, 2])
        expect(yield* placed(node(1).address)).toEqual([id(11), id(31)])
        expect(yield* placed(node(2).address)).toEqual([id(22), id(42)])
        yield* cluster.take({ jobId: id(11), attempt: 1 }, runner(1))
        yield* RunStore.RunStore.pipe(
          Effect.flatMap(({ record }) => record({ type: "job.completed", jobId: id(31), attempt: 1, at: at(9) }))
        )
        expect(yield* placed(node(1).address)).toEqual([])
        expect(yield* cluster.placed({ kind: "other", address: node(2).address })).toEqual([])
      }).pipe(Effect.provide(layer))
    )

    it.effect("gives an attempt to one node only", () =>
      Effect.gen(function* () {
        const { cluster } = yield* RunStore.RunStore
        yield* cluster.join(node(1))
        yield* limited(3)
        const { id: jobId } = yield* admitted(1, [1])
        expect(yield* held).toEqual([[jobId, null]])
        yield* cluster.take({ jobId, attempt: 1 }, runner(1))
        expect(yield* held).toEqual([[jobId, { node: node(1).id, isAlive: true }]])
        for (const n of [1, 2]) {
          const error = yield* Effect.flip(cluster.take({ jobId, attempt: 1 }, runner(n)))
          expect(error).toMatchObject({ _tag: "Superseded" })
        }
        yield* cluster.leave(node(1).id)
        expect(yield* held).toEqual([[jobId, { node: node(1).id, isAlive: false }]])
        expect(yield* cluster.heldRun(jobId)).toEqual(Array.head(yield* cluster.held(kind)))
      }).pipe(Effect.provide(layer))
    )

    it.effect("gives nothing to a node that is not alive", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        yield* limited(3)
        const { id: jobId } = yield* admitted(1, [1])
        const error = yield* Effect.flip(store.cluster.take({ jobId, attempt: 1 }, runner(1)))
        expect(error).toMatchObject({ _tag: "Superseded" })
        yield* store.create(newRun(2, { isQueued: true }))
        const beginning = { jobId: id(2), attempt: 1, key: undefined, at: at(2) }
        expect(yield* Effect.flip(store.cluster.begin(beginning, runner(1)))).toMatchObject({ _tag: "MaxJobsReached" })
      }).pipe(Effect.provide(layer))
    )

    it.effect("begins the next attempt on another node, within the limit and the capacity of that node", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        const { cluster } = store
        for (const n of [1, 2]) yield* cluster.join(node(n))
        yield* limited(2)
        const { id: jobId } = yield* admitted(1, [1])
        yield* cluster.take({ jobId, attempt: 1 }, runner(1))
        yield* store.record({ type: "job.interrupted", jobId, attempt: 1, at: at(9), crashed: true })
        expect(yield* held).toEqual([])
        expect(yield* cluster.heldRun(jobId)).toEqual(Option.none())

        const others: Partial<Placement> = { waiting: ["parked"] }
        yield* admitted(2, [2], others)
        yield* admitted(3, [1], others)
        const beginning = { jobId, attempt: 2, key: undefined, at: at(10) }
        expect(yield* Effect.flip(cluster.begin(beginning, runner(2)))).toMatchObject({ _tag: "MaxJobsReached" })
        yield* cluster.setLimit({ kind, maxJobs: 4 })
        const full = { ...runner(2), capacity: 1 }
        expect(yield* Effect.flip(cluster.begin(beginning, full))).toMatchObject({ _tag: "MaxJobsReached" })
        expect(yield* cluster.begin(beginning, runner(2))).toBe("running")
        expect(yield* Effect.flip(cluster.begin(beginning, runner(1)))).toMatchObject({ _tag: "Superseded" })
        expect(yield* held).toContainEqual([jobId, { node: node(2).id, isAlive: true }])
      }).pipe(Effect.provide(layer))
    )

    it.effect("keeps runs from nodes of the versions that cannot decode them, until they begin", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        const { cluster } = store
        yield* cluster.join(node(1))
        yield* limited(2)
        for (const n of [1, 2, 3]) yield* store.create(newRun(n, { isQueued: true }))
        yield* store.create(newRun(4))
        const dueFor = (version?: string) =>
          Effect.map(store.due({ kind, statuses: ["parked", "pending"], limit: 9, version }), (due) =>
            due.map(({ run }) => run.id)
          )
        const refusedFor = (millis: number) =>
          Effect.map(cluster.refused({ kind, millis }), (runs) => runs.map(({ id }) => id))
        yield* cluster.refuse("1", [
          { jobId: id(1), reason: 'a "1":"field"' },
          { jobId: id(3), reason: "another" },
          { jobId: id(4), reason: "it runs" }
        ])
        yield* cluster.refuse("1", [{ jobId: id(1), reason: "again" }])
        expect(yield* dueFor("1")).toEqual([id(2)])
        expect(yield* dueFor("2")).toEqual([id(1), id(2), id(3)])
        expect(yield* dueFor()).toEqual([id(1), id(2), id(3)])
        expect(yield* store.countDue({ kind, statuses: ["pending"], limit: 9 })).toBe(1)
        expect(
          yield* cluster.admit(newRun(5), {
            candidates: [{ ...runner(1), id: id(5) }],
            whenFull: "refuse",
            waiting: []
          })
        ).toMatchObject({ created: { _tag: "Running" } })
        yield* cluster.refuse("2", [{ jobId: id(1), reason: "a third" }])
        expect(yield* dueFor("2")).toEqual([id(2), id(3)])
        expect(Option.getOrThrow(yield* store.get(id(1))).refusedBy).toEqual({ "1": 'a "1":"field"', "2": "a third" })
        expect(Option.getOrThrow(yield* store.get(id(4))).refusedBy).toBeUndefined()
        expect(yield* refusedFor(0)).toEqual([id(1), id(3)])
        expect(yield* refusedFor(60_000)).toEqual([])

        yield* store.begin({ jobId: id(1), attempt: 1, key: undefined, at: at(9) })
        expect(Option.getOrThrow(yield* store.get(id(1))).refusedBy).toBeUndefined()
        const parked = new Run.Parked({ reason: "it waits", until: at(10) })
        yield* store.record({ type: "job.parked", jobId: id(1), attempt: 1, at: at(11), parked })
        expect(yield* dueFor("1")).toEqual([id(1), id(2)])
        yield* store.record({ type: "job.cancelled", jobId: id(3), attempt: 1, at: at(12) })
        expect(yield* refusedFor(0)).toEqual([])
      }).pipe(Effect.provide(layer))
    )
  })
}
