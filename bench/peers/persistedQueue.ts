/**
 * `PersistedQueue` of @effect/experimental on SQLite, with a hundred fibers that take jobs, and polling as often as a timer can.
 * Its database has the same settings as Charlotte's.
 */
import * as PersistedQueue from "@effect/experimental/PersistedQueue"
import * as SqlPersistedQueue from "@effect/sql/SqlPersistedQueue"
import { Effect, Layer, ManagedRuntime, Schema } from "effect"
import { database } from "../subjects/manager.js"
import { config, type Data, measure } from "./Peer.js"

const Element = Schema.Struct({
  key: Schema.Number,
  idle: Schema.Boolean,
  repoPath: Schema.String,
  tasksDir: Schema.String,
  targetBranch: Schema.String
})

const layer = PersistedQueue.layer.pipe(
  Layer.provide(SqlPersistedQueue.layerStore({ pollInterval: "1 millis" })),
  Layer.provide(database)
)

await measure(async (jobs) => {
  const runtime = ManagedRuntime.make(layer)
  const queue = await runtime.runPromise(PersistedQueue.make({ name: "jobs", schema: Element }))
  const take = Effect.gen(function* () {
    let recorded = 0
    yield* queue.take(({ key }) =>
      Effect.sync(() => {
        jobs.running(key)
        recorded = key
      })
    )
    jobs.ended(recorded)
  })
  for (let n = 0; n < 100; n++) runtime.runFork(Effect.forever(take))
  return {
    submit: (data: Data) => runtime.runPromise(queue.offer({ ...config, ...data }))
  }
})
