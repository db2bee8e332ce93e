/**
 * A node at an address of this machine.
 */
import { Database } from "charlotte"
import { Effect, Layer } from "effect"
import { createServer } from "node:net"
import * as EffectCluster from "../../src/cluster/engine/EffectCluster.js"

export const freeAddress: Effect.Effect<string> = Effect.async((resume) => {
  const server = createServer().listen(0, "127.0.0.1", () => {
    const address = server.address()
    const port = typeof address === "object" && address !== null ? address.port : 0
    server.close(() => resume(Effect.succeed(`127.0.0.1:${port}`)))
  })
})

export const engineAt = (url: string, options: EffectCluster.Options) =>
  EffectCluster.layer(options).pipe(Layer.provide(Database.layerPostgres({ url, maxConnections: 2 })))
