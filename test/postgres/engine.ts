/**
 * Nodes of a cluster in this process, on a database of their own: real sockets on loopback, and locks in PostgreSQL.
 */
import { Database } from "charlotte"
import { Effect, ExecutionStrategy, Exit, Layer, Scope } from "effect"
import { createServer } from "node:net"
import * as EffectCluster from "../../src/cluster/engine/EffectCluster.js"
import { Engine } from "../../src/cluster/Engine.js"
import type { Cluster, Node } from "../cluster/engine/conformance.js"
import * as TestDatabase from "./database.js"

export const freeAddress: Effect.Effect<string> = Effect.async((resume) => {
  const server = createServer().listen(0, "127.0.0.1", () => {
    const address = server.address()
    const port = typeof address === "object" && address !== null ? address.port : 0
    server.close(() => resume(Effect.succeed(`127.0.0.1:${port}`)))
  })
})

export const engineAt = (url: string, options: EffectCluster.Options) =>
  EffectCluster.layer(options).pipe(Layer.provide(Database.layerPostgres({ url, maxConnections: 2 })))

export const join = (url: string, timing?: EffectCluster.Timing): Effect.Effect<Node, never, Scope.Scope> =>
  Effect.gen(function* () {
    const scope = yield* Scope.fork(yield* Effect.scope, ExecutionStrategy.sequential)
    const address = yield* freeAddress
    const context = yield* Effect.orDie(Layer.buildWithScope(engineAt(url, { address, timing }), scope))
    return { engine: yield* Effect.provide(Engine, context), close: Scope.close(scope, Exit.void) }
  })

export const cluster: Effect.Effect<Cluster, never, Scope.Scope> = Effect.gen(function* () {
  const url = yield* TestDatabase.make
  const scope = yield* Effect.scope
  return { join: Scope.extend(join(url), scope) }
})
