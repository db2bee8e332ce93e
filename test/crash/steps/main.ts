/**
 * A worker that does jobs of 20 steps until it is killed, on the database of the first argument. Each step appends a line to the file of
 * the second argument; what each step returns is said.
 */
import { Database, JobKind, RunStore } from "charlotte"
import { Effect, Layer, Schema } from "effect"
import { appendFileSync } from "node:fs"
import { runWorker } from "./runWorker.js"

const [filename = "", appended = ""] = process.argv.slice(2)

class Count extends JobKind.Tag<Count>()("count", { config: Schema.Struct({}) }) {}

/** Writing to a pipe returns once the text is in the pipe. */
const say = (text: string) => Effect.sync(() => void process.stdout.write(`${text}\n`))

const store = RunStore.layer.pipe(Layer.provide(Database.layer({ filename })))

const counts = Count.layer({
  maxJobs: 2,
  run: ({ attempt, id, step }) =>
    Effect.forEach(
      Array.from({ length: 20 }, (_, n) => n),
      (n) =>
        step(
          `append ${n}`,
          Effect.sync(() => {
            appendFileSync(appended, `${id} ${n}\n`)
            return `${attempt}-${process.pid}`
          }),
          { success: Schema.String }
        ).pipe(Effect.flatMap((value) => say(`got ${id} ${n} ${value}`))),
      { discard: true }
    )
})

const worker = Effect.gen(function* () {
  const work = yield* Count
  yield* say("ready")
  for (;;) yield* work.await(yield* work.start({}, { whenFull: "queue" }))
})

runWorker(worker, Layer.provide(counts, store))
