/**
 * A process that manages jobs on the database of its first argument: it starts one, says its id, and works on it until it is
 * killed. It says when it has interrupted it.
 */
import { Database, RunStore } from "charlotte"
import { Effect, Layer } from "effect"
import { makeManager } from "./steps.js"

const [url = ""] = process.argv.slice(2)

const main = Effect.gen(function* () {
  const jobs = yield* makeManager
  const id = yield* jobs.start({ endsAt: 2, isTicking: true })
  yield* Effect.sync(() => process.stdout.write(`${id}\n`))
  const { status } = yield* jobs.await(id)
  yield* Effect.sync(() => process.stdout.write(`${status}\n`))
  return yield* Effect.never
}).pipe(Effect.scoped, Effect.provide(RunStore.layer.pipe(Layer.provide(Database.layerPostgres({ url })))))

void Effect.runPromise(main)
