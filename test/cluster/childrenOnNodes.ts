/** Jobs that start others and wait for them, on the nodes of a cluster: over any engine and store. */
import { describe, expect, it } from "@effect/vitest"
import { type JobId, JobKind, RunStore } from "charlotte"
import { Array, Context, Deferred, Effect, Exit, Layer, Ref, Schema, Scope } from "effect"
import type { Engine } from "../../src/cluster/Engine.js"
import * as ClusterKind from "../../src/cluster/JobKind.js"
import { poll } from "../../src/internal/RealClock.js"

class Part extends JobKind.Tag<Part>()("part", {
  config: Schema.Struct({ n: Schema.Number }),
  success: Schema.Number
}) {}

class Whole extends JobKind.Tag<Whole>()("whole", {
  config: Schema.Struct({ parts: Schema.Array(Schema.Number) }),
  success: Schema.Array(Schema.Number)
}) {}

type PartWork = (n: number) => Effect.Effect<number>

/** The store and the engine of a node that joins, for as long as the scope lives. */
export type Join = Effect.Effect<Context.Context<RunStore.RunStore | Engine>, unknown, Scope.Scope>

const patience = { pause: 20, atMost: "1 minute" } as const

const wholes = ClusterKind.layerCluster(Whole, {
  maxJobs: 2,
  run: ({ child, config: { parts } }) =>
    Effect.orDie(Effect.forEach(parts, (n) => child(Part, { n }, { name: `part ${n}` }), { concurrency: "unbounded" }))
})

const parts = (work: PartWork, maxJobs = 2) =>
  ClusterKind.layerCluster(Part, { maxJobs, stopGrace: "5 seconds", run: ({ config: { n } }) => work(n) })

/** A node with some kinds; it can be closed before the others. */
const node = <A, E>(join: Join, layer: Layer.Layer<A, E, RunStore.RunStore | Engine>) =>
  Effect.gen(function* () {
    const scope = yield* Scope.fork(yield* Effect.scope, { _tag: "Sequential" })
    const joined = yield* Scope.extend(join, scope)
    const kinds = yield* Layer.buildWithScope(Layer.provide(layer, Layer.succeedContext(joined)), scope)
    const store = Context.get(joined, RunStore.RunStore)
    return { kinds, store, close: Scope.close(scope, Exit.void) }
  })

const recordOf = (store: RunStore.Service, id: JobId.JobId) => Effect.flatten(store.get(id))

const untilStatus = (store: RunStore.Service, id: JobId.JobId, status: string) =>
  poll(recordOf(store, id), { until: (run) => run.status === status, ...patience })

const childrenOf = (store: RunStore.Service, chain: JobId.JobId) =>
  Effect.map(store.children.list({ chain, limit: 100 }), Array.reverse)

export const childrenOnNodes = (name: string, cluster: Effect.Effect<Join, unknown, Scope.Scope>): void => {
  describe(`the children of a job, ${name}`, () => {
    it.scopedLive("run on the node of their kind, and wake their parent on another", () =>
      Effect.gen(function* () {
        const join = yield* cluster
        const go = yield* Deferred.make<void>()
        const a = yield* node(join, wholes)
        yield* node(
          join,
          parts((n) => Effect.as(Deferred.await(go), 2 * n))
        )
        const manager = Context.get(a.kinds, Whole)
        const id = yield* manager.start({ parts: [1, 2] })
        const parked = yield* untilStatus(a.store, id, "parked")
        expect(parked).toMatchObject({ waitsFor: "child", parked: { children: 2 } })
        expect(yield* manager.activeCount).toBe(0)
        for (const { jobId } of yield* childrenOf(a.store, id)) yield* untilStatus(a.store, jobId, "running")
        yield* Deferred.succeed(go, undefined)
        expect(yield* manager.await(id)).toMatchObject({ status: "completed", result: [2, 4] })
        for (const { jobId } of yield* childrenOf(a.store, id)) {
          expect(yield* recordOf(a.store, jobId)).toMatchObject({ parent: id, status: "completed", attempt: 1 })
        }
      })
    )

    it.scopedLive("are stopped with their parent, on the node on which they run and before they begin", () =>
      Effect.gen(function* () {
        const join = yield* cluster
        const ended = yield* Ref.make(0)
        const a = yield* node(join, wholes)
        yield* node(
          join,
          parts(() => Effect.onInterrupt(Effect.never, () => Ref.update(ended, (n) => n + 1)))
        )
        const manager = Context.get(a.kinds, Whole)
        const id = yield* manager.start({ parts: [1, 2, 3] })
        yield* untilStatus(a.store, id, "parked")
        const running = Effect.map(
          Effect.flatMap(
            childrenOf(a.store, id),
            Effect.forEach(({ jobId }) => recordOf(a.store, jobId))
          ),
          Array.filter(({ status }) => status === "running")
        )
        yield* poll(running, { until: ({ length }) => length === 2, ...patience })
        expect(yield* manager.stop(id)).toMatchObject({ status: "cancelled" })
        for (const { jobId } of yield* childrenOf(a.store, id)) yield* untilStatus(a.store, jobId, "cancelled")
        expect(yield* Ref.get(ended)).toBe(2)
      })
    )

    it.scopedLive("end their many parents once each, with both kinds on each node", () =>
      Effect.gen(function* () {
        const join = yield* cluster
        const runs = yield* Ref.make(0)
        const both = Layer.merge(
          wholes,
          parts((n) =>
            Effect.as(
              Ref.update(runs, (all) => all + 1),
              2 * n
            )
          )
        )
        const [a, b] = [yield* node(join, both), yield* node(join, both)]
        const ids = yield* Effect.forEach(Array.range(1, 10), (n) =>
          Context.get((n % 2 === 0 ? a : b).kinds, Whole).start({ parts: [n, n + 100] }, { whenFull: "queue" })
        )
        for (const [i, id] of ids.entries()) {
          const run = yield* Context.get(a.kinds, Whole).await(id)
          expect(run).toMatchObject({ status: "completed", result: [2 * (i + 1), 2 * (i + 101)] })
          // The first attempt starts them, and the end of either may wake it.
          expect(run.attempt).toBeLessThanOrEqual(3)
        }
        expect(yield* Ref.get(runs)).toBe(20)
      })
    )

    it.scopedLive("continue on another node if theirs closes", () =>
      Effect.gen(function* () {
        const join = yield* cluster
        const begun = yield* Deferred.make<void>()
        const a = yield* node(join, wholes)
        const b = yield* node(
          join,
          parts(() => Effect.zipRight(Deferred.succeed(begun, undefined), Effect.never))
        )
        const manager = Context.get(a.kinds, Whole)
        const id = yield* manager.start({ parts: [1] })
        yield* Deferred.await(begun)
        yield* b.close
        yield* node(
          join,
          parts((n) => Effect.succeed(2 * n))
        )
        expect(yield* manager.await(id)).toMatchObject({ status: "completed", result: [2] })
        const [child] = yield* childrenOf(a.store, id)
        expect(child && (yield* recordOf(a.store, child.jobId))).toMatchObject({ status: "completed", attempt: 2 })
      })
    )
  })
}
