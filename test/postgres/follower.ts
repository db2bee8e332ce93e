/**
 * A process that follows the first job of the database of its first argument: it prints each event that it sees, and when.
 */
import { Database, RunStore } from "charlotte"
import { Effect, Layer } from "effect"
import { id, kind } from "../store/runs.js"

const [url = ""] = process.argv.slice(2)

const follow = Effect.gen(function* () {
  const store = yield* RunStore.RunStore
  const notifier = yield* store.changes(id(1))
  for (let after = 0; ;) {
    const version = yield* notifier.version
    const { events } = yield* Effect.flatten(store.events({ kind, jobId: id(1), after, limit: 100 }))
    const at = performance.timeOrigin + performance.now()
    for (const { seq } of events) process.stdout.write(`${seq} ${at}\n`)
    after += events.length
    if (events.length === 0) yield* notifier.changed(version)
  }
}).pipe(Effect.scoped, Effect.provide(RunStore.layer.pipe(Layer.provide(Database.layerPostgres({ url })))))

void Effect.runPromise(follow)
