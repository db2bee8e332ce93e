/** The search of a node for the next run of its share. */
import { describe, expect, it } from "@effect/vitest"
import { type JobId, Run, RunStore } from "charlotte"
import { Array, Effect, type Layer, Option } from "effect"
import { allShards, shardOf } from "../../../src/store/port/shard.js"
import { at, id, kind, newRun } from "../runs.js"

const statuses = ["interrupted", "parked", "pending"] as const

/** A third of the shards, as a node of three has. */
const share = allShards.filter((shard) => shard % 3 === 0)
const rest = allShards.filter((shard) => shard % 3 !== 0)

const ids = Array.makeBy(4_000, (n) => id(n + 1))
const [others, own] = Array.partition(ids, (id) => share.includes(shardOf(id)))

const queued = (ids: ReadonlyArray<JobId.JobId>, with_: (n: number) => Partial<RunStore.NewRun> = () => ({})) =>
  Effect.flatMap(RunStore.RunStore, (store) =>
    Effect.forEach(ids, (id, n) => store.create({ ...newRun(n, { isQueued: true, ...with_(n) }), id }), {
      concurrency: "unbounded",
      discard: true
    })
  )

const first = { priority: 5 }

const next = (options: Partial<Parameters<RunStore.RunStore["Type"]["cluster"]["next"]>[0]> = {}) =>
  Effect.flatMap(RunStore.RunStore, ({ cluster }) =>
    Effect.map(
      cluster.next({ kind, statuses, version: "1", shards: share, ...options }),
      Option.map(({ run }) => run.id)
    )
  )

/** The runs that a node of this version begins, one after the other. */
const begun = (options: Parameters<typeof next>[0] = {}, most = 20) =>
  Effect.gen(function* () {
    const store = yield* RunStore.RunStore
    const found: Array<JobId.JobId> = []
    while (found.length < most) {
      const jobId = Option.getOrUndefined(yield* next(options))
      if (jobId === undefined) break
      found.push(jobId)
      yield* store.begin({ jobId, attempt: 1, key: undefined, at: at(9_000) })
    }
    return found
  })

export const shares = (layer: Layer.Layer<RunStore.RunStore>) => {
  describe("the share of a node", () => {
    it.effect("has ten due runs behind a thousand of other nodes", () =>
      Effect.gen(function* () {
        const ten = own.slice(0, 10)
        yield* queued(others.slice(0, 1_000), () => first)
        yield* queued(ten)
        expect(yield* begun()).toEqual(ten)
        expect(yield* begun({ shards: rest }, 2)).toEqual(others.slice(0, 2))
        expect(yield* next({ shards: [] })).toEqual(Option.none())
      }).pipe(Effect.provide(layer))
    )

    it.effect("is searched in the order in which runs begin, whatever they wait for, and in no other status", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        const [interrupted, retry, parked, pending, urgent] = own
        if (interrupted === undefined || retry === undefined || parked === undefined) return expect.fail("too few ids")
        if (pending === undefined || urgent === undefined) return expect.fail("too few ids")
        for (const jobId of [interrupted, retry, parked]) yield* store.create({ ...newRun(1), id: jobId })
        yield* store.record({ type: "job.interrupted", jobId: interrupted, attempt: 1, at: at(2), crashed: false })
        const again: Run.NextTry = { n: 1, of: 3, error: { kind: "failure", error: "it failed" } }
        for (const [jobId, retries] of [
          [retry, { retry: again }],
          [parked, {}]
        ] as const) {
          const park = new Run.Parked({ reason: "it waits", until: at(3), ...retries })
          yield* store.record({ type: "job.parked", jobId, attempt: 1, at: at(4), parked: park })
        }
        yield* store.wakeDue({ kind, at: at(5) })
        yield* queued([pending])
        yield* queued([urgent], () => first)
        const order = [urgent, interrupted, parked, retry, pending]
        for (const [n, jobId] of order.entries()) {
          expect(yield* next()).toEqual(Option.some(jobId))
          if (n === 1) expect(yield* next({ statuses: ["parked", "pending"] })).toEqual(Option.some(parked))
          yield* store.begin({ jobId, attempt: n === 0 || n === 4 ? 1 : 2, key: undefined, at: at(6) })
        }
        expect(yield* next()).toEqual(Option.none())
        expect(yield* next({ statuses: [] })).toEqual(Option.none())
      }).pipe(Effect.provide(layer))
    )

    it.effect(
      "has no due run while its kind is paused, and those of another kind behind a thousand of a paused one",
      () =>
        Effect.gen(function* () {
          const store = yield* RunStore.RunStore
          const ten = own.slice(0, 10)
          yield* queued(own.slice(10, 1_010), () => first)
          yield* queued(ten, () => ({ kind: "other" }))
          yield* store.kinds.pause({ kind, at: at(1) })
          expect(yield* next()).toEqual(Option.none())
          expect(yield* begun({ kind: "other" })).toEqual(ten)
        }).pipe(Effect.provide(layer))
    )

    it.effect("has ten due runs behind a thousand of a full group, and behind a thousand groups of other nodes", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        yield* store.groups.register({ kind, maxPerGroup: 1, isManual: false })
        const running = own[1_100] ?? expect.fail("too few ids")
        yield* store.create({ ...newRun(1, { group: "full" }), id: running })
        yield* queued(own.slice(0, 1_000), () => ({ ...first, group: "full" }))
        yield* queued(others.slice(0, 1_000), (n) => ({ ...first, group: `of another ${n}` }))
        const ten = own.slice(1_000, 1_010)
        yield* queued(ten, (n) => ({ group: `own ${n}` }))
        expect(yield* begun()).toEqual(ten)
        expect(yield* next({ shards: rest })).toEqual(Option.some(others[0]))
      }).pipe(Effect.provide(layer))
    )

    it.effect(
      "has ten due runs behind a thousand that its version cannot decode, and those that only others cannot",
      () =>
        Effect.gen(function* () {
          const { cluster } = yield* RunStore.RunStore
          const refused = own.slice(0, 1_000)
          const ten = own.slice(1_000, 1_010)
          yield* queued(refused, () => first)
          yield* queued(ten)
          yield* cluster.refuse(
            "1",
            refused.map((jobId) => ({ jobId, reason: "name: is missing" }))
          )
          expect(yield* begun()).toEqual(ten)
          // Whatever shard they are in.
          expect(yield* begun({ version: "2", shards: rest }, 3)).toEqual(refused.slice(0, 3))
          expect(yield* next({ version: "2", shards: [] })).toEqual(Option.some(refused[3]))
        }).pipe(Effect.provide(layer))
    )

    it.effect("has the next of a group whose first its version cannot decode", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        yield* store.groups.register({ kind, maxPerGroup: 2, isManual: false })
        const [one, two, three] = own
        const other = others[100]
        if (one === undefined || two === undefined || three === undefined || other === undefined) return
        yield* queued([one, two, three, other], () => ({ group: "g" }))
        yield* store.cluster.refuse("1", [
          { jobId: one, reason: "name: is missing" },
          { jobId: two, reason: "name: is missing" }
        ])
        expect(yield* begun({ version: "2" }, 1)).toEqual([one])
        expect(yield* next({ shards: rest })).toEqual(Option.some(three))
        expect(yield* next({ version: "2" })).toEqual(Option.some(two))
        expect(yield* begun()).toHaveLength(1)
        // The group is full.
        expect(yield* next()).toEqual(Option.none())
        expect(yield* next({ version: "2" })).toEqual(Option.none())
      }).pipe(Effect.provide(layer))
    )
  })
}
