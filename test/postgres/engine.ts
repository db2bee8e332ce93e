/**
 * Nodes of a cluster in this process, on a database of their own: real sockets on loopback, and locks in PostgreSQL.
 */
import { Effect, ExecutionStrategy, Exit, Layer, Scope } from "effect"
import type * as EffectCluster from "../../src/cluster/engine/EffectCluster.js"
import { Engine } from "../../src/cluster/Engine.js"
import type { Cluster, Node } from "../cluster/engine/conformance.js"
import * as TestDatabase from "./database.js"
import { engineAt, freeAddress } from "./engineAt.js"

export const join = (
  url: string,
  options: Omit<EffectCluster.Options, "address"> = {}
): Effect.Effect<Node, never, Scope.Scope> =>
  Effect.gen(function* () {
    const scope = yield* Scope.fork(yield* Effect.scope, ExecutionStrategy.sequential)
    const address = yield* freeAddress
    const context = yield* Effect.orDie(Layer.buildWithScope(engineAt(url, { ...options, address }), scope))
    return { engine: yield* Effect.provide(Engine, context), close: Scope.close(scope, Exit.void) }
  })

export const cluster: Effect.Effect<Cluster, never, Scope.Scope> = Effect.gen(function* () {
  const url = yield* TestDatabase.make
  const scope = yield* Effect.scope
  return { join: Scope.extend(join(url), scope) }
})
