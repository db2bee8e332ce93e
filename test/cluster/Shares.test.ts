/** The runs that a node begins: those of its share, and those of nodes that begin none. */
import { describe, expect, it } from "@effect/vitest"
import { type JobId, RunStore } from "charlotte"
import { Array, Effect } from "effect"
import * as Nodes from "../../src/cluster/Nodes.js"
import { id, newRun } from "../store/runs.js"
import * as Scene from "./scene.js"

const { kind } = Scene
const config = { name: "job" }

/** The first ids of the shards of a node. */
const idsOf = ({ engine }: { readonly engine: { readonly hasShard: (id: JobId.JobId) => boolean } }, count: number) =>
  Array.take(Array.filter(Array.range(1, 6_000).map(id), engine.hasShard), count)

const queued = ({ store }: { readonly store: RunStore.Service }, ids: ReadonlyArray<JobId.JobId>, priority = 0) =>
  Effect.forEach(ids, (id, n) => store.create({ ...newRun(n, { config, priority, isQueued: true }), id, kind }), {
    concurrency: "unbounded"
  })

/** A full node, and others with room. */
const full = Effect.gen(function* () {
  const scene = yield* Scene.make
  const a = yield* scene.node("a", { maxJobs: 40, capacity: 1 })
  yield* scene.passing(a.manager.start(config))
  yield* scene.worked(1)
  return { ...scene, a }
})

const on = (scene: Effect.Effect.Success<typeof Scene.make>, address: string) =>
  Effect.map(scene.working, (all) => all.flatMap((own) => (own.address === address ? [own.id] : [])).sort())

describe("a node with room", () => {
  it.scoped("begins ten runs of its share behind a thousand of a full node, and then those", () =>
    Effect.gen(function* () {
      const { a, ...scene } = yield* full
      // Those of both nodes, once the second has joined.
      const [first, ten] = yield* scene.network.join("b:1").pipe(
        Effect.map((engine) => [idsOf(a, 1_000), idsOf({ engine }, 10)] as const),
        Effect.scoped
      )
      yield* queued(scene, first, 5)
      yield* queued(scene, ten)
      const b = yield* scene.node("b", { capacity: 10 })
      yield* scene.until("the ten run", on(scene, b.address), (ids) => ten.every((id) => ids.includes(id)))
      const [free] = ten
      if (free === undefined) return
      yield* scene.complete(free)
      yield* scene.until("one of the full node runs", on(scene, b.address), (ids) =>
        first.slice(0, 1).every((id) => ids.includes(id))
      )
    }).pipe(Effect.provide(RunStore.layerMemory))
  )

  it.scoped("begins all runs of a full node if its share has none, together with other nodes with room", () =>
    Effect.gen(function* () {
      const { a, ...scene } = yield* full
      const b = yield* scene.node("b", { capacity: 10 })
      const c = yield* scene.node("c", { capacity: 10 })
      const waiting = idsOf(a, 20)
      yield* queued(scene, waiting)
      yield* scene.worked(21)
      expect((yield* on(scene, b.address)).length).toBe(10)
      expect((yield* on(scene, c.address)).length).toBe(10)
    }).pipe(Effect.provide(RunStore.layerMemory))
  )

  it.scoped("begins the runs of a node that drains, and leaves none to it", () =>
    Effect.gen(function* () {
      const scene = yield* Scene.make
      const a = yield* scene.node("a")
      const b = yield* scene.node("b")
      yield* Nodes.drain({ kind, address: a.address })
      const waiting = idsOf(a, 4)
      yield* queued(scene, waiting)
      yield* scene.worked(4)
      expect(yield* on(scene, b.address)).toEqual(waiting)
    }).pipe(Effect.provide(RunStore.layerMemory))
  )

  it.scoped("leaves the runs of another node with room to it", () =>
    Effect.gen(function* () {
      const scene = yield* Scene.make
      const a = yield* scene.node("a", { maxJobs: 8, capacity: 4 })
      const b = yield* scene.node("b", { capacity: 4 })
      const [ofA, ofB] = [idsOf(a, 3), idsOf(b, 3)]
      yield* queued(scene, [...ofA, ...ofB])
      yield* scene.worked(6)
      expect(yield* on(scene, a.address)).toEqual(ofA)
      expect(yield* on(scene, b.address)).toEqual(ofB)
    }).pipe(Effect.provide(RunStore.layerMemory))
  )
})
