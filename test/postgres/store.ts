/**
 * Stores on databases of their own.
 */
import { Database, RunStore } from "charlotte"
import { Effect, Exit, Layer, Scope } from "effect"
import { afterAll } from "vitest"
import * as TestDatabase from "./database.js"

const at = (url: string, maxConnections?: number) =>
  RunStore.layer.pipe(
    Layer.provideMerge(Database.layerPostgres({ url, ...(maxConnections !== undefined && { maxConnections }) })),
    Layer.orDie
  )

const scope = Effect.runSync(Scope.make())

afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)))

/** One with all tables for each file of tests. */
const template = TestDatabase.make.pipe(
  Effect.tap((url) => Effect.scoped(Layer.build(at(url)))),
  Scope.extend(scope),
  Effect.cached,
  Effect.runSync
)

/** A store and its client, on a new database: a copy, since its tables would take as long as the test. */
export const layer = Layer.unwrapScoped(Effect.map(Effect.flatMap(template, TestDatabase.copy), (url) => at(url)))

/** A store and its client with so many connections, on the same database each time. */
export const layerOnOne = (maxConnections: number) => {
  const url = Effect.flatMap(template, TestDatabase.copy).pipe(Scope.extend(scope), Effect.cached, Effect.runSync)
  return Layer.unwrapEffect(Effect.map(url, (url) => at(url, maxConnections)))
}
