import { describe, expect, it } from "@effect/vitest"
import { Database, JobKind, RunStore } from "charlotte"
import * as Cluster from "charlotte/cluster"
import { Effect, Exit, Layer, Schema, Scope } from "effect"
import * as OtherProcess from "../otherProcess.js"
import * as TestDatabase from "../database.js"
import { freePort } from "./nodes.js"

/** As the jobs of the other process. */
class Steps extends JobKind.Tag<Steps>()("steps", { config: Schema.Struct({ endsAt: Schema.Number }) }) {}

class Work extends JobKind.Tag<Work>()("work", { config: Schema.Struct({ name: Schema.String }) }) {}

const run = () => Effect.never

const stored = (url: string) => RunStore.layer.pipe(Layer.provide(Database.layerPostgres({ url })))

const node = (url: string) =>
  Layer.unwrapEffect(
    Effect.map(freePort, (port) =>
      Cluster.JobKind.layerCluster(Work, { run }).pipe(
        Layer.provide(Cluster.Engine.layer({ address: `127.0.0.1:${port}` })),
        Layer.provide(RunStore.layer),
        Layer.provide(Database.layerPostgres({ url }))
      )
    )
  )

const owner = (url: string) => Work.layer({ run }).pipe(Layer.provide(stored(url)))

/** Builds the layer within the scope of the test. */
const build = <A, E>(layer: Layer.Layer<A, E>) =>
  Effect.flatMap(Effect.scope, (scope) => Layer.buildWithScope(layer, scope))

describe("a cluster and a manager outside of it", () => {
  it.scopedLive("refuses a node where a manager has the jobs of the kind for itself", () =>
    Effect.gen(function* () {
      const url = yield* TestDatabase.make
      yield* build(owner(url))
      expect(yield* Effect.flip(build(node(url)))).toMatchObject({ _tag: "AlreadyManaged", pid: process.pid })
    })
  )

  it.scopedLive(
    "refuses a manager that would have the jobs of a cluster for itself, until the last node has left",
    () =>
      Effect.gen(function* () {
        const url = yield* TestDatabase.make
        const scope = yield* Scope.make()
        yield* Layer.buildWithScope(node(url), scope)
        const error = yield* Effect.flip(build(owner(url)))
        expect(error).toMatchObject({ _tag: "AlreadyManaged", kind: "work", pid: process.pid })
        expect(error.message).toMatch(/the node 127\.0\.0\.1:\d+ of a cluster$/)
        yield* Scope.close(scope, Exit.void)
        yield* build(owner(url))
      })
  )

  it.scopedLive(
    "continues the jobs of a manager that was killed, as their next attempt",
    () =>
      Effect.gen(function* () {
        const url = yield* TestDatabase.make
        const other = yield* OtherProcess.make(url)
        yield* other.kill
        const port = yield* freePort
        const steps = Cluster.JobKind.layerCluster(Steps, { run: () => Effect.succeed(null) }).pipe(
          Layer.provide(Cluster.Engine.layer({ address: `127.0.0.1:${port}` })),
          Layer.provide(RunStore.layer),
          Layer.provide(Database.layerPostgres({ url }))
        )
        const manager = yield* Effect.provide(Steps, yield* build(steps))
        expect(yield* manager.await(other.id)).toMatchObject({ status: "completed", attempt: 2 })
      }),
    300_000
  )
})
