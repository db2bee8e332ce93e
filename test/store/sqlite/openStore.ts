/**
 * A process that opens the store in a file: it prints `ready`, and opens the store once it reads from stdin.
 */
import { Database, RunStore } from "charlotte"
import { Effect, Layer } from "effect"

const [filename = ""] = process.argv.slice(2)

const open = Effect.gen(function* () {
  const store = yield* RunStore.RunStore
  return yield* store.latestCursor
}).pipe(Effect.provide(RunStore.layer.pipe(Layer.provide(Database.layer({ filename })))))

process.stdin.once("data", () => {
  process.stdin.destroy()
  void Effect.runPromise(open).then((cursor) => process.stdout.write(`opened at ${cursor}\n`))
})
process.stdout.write("ready\n")
