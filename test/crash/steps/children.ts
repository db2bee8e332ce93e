/**
 * A worker whose jobs start children and wait for them, two jobs at once, until it is killed, on the database of the first argument. Each
 * child appends a line to the file of the second argument; what each job reads of a child is said. With a third argument it starts no jobs,
 * and says once all have ended.
 */
import { Database, JobKind, RunStore } from "charlotte"
import { Effect, Layer, Schema } from "effect"
import { appendFileSync } from "node:fs"
import { runWorker } from "./runWorker.js"

const [filename = "", appended = "", drains] = process.argv.slice(2)

class Part extends JobKind.Tag<Part>()("part", { config: Schema.Struct({ n: Schema.Int }), success: Schema.String }) {}

class Whole extends JobKind.Tag<Whole>()("whole", { config: Schema.Struct({}) }) {}

/** Writing to a pipe returns once the text is in the pipe. */
const say = (text: string) => Effect.sync(() => void process.stdout.write(`${text}\n`))

const store = RunStore.layer.pipe(Layer.provide(Database.layer({ filename })))

const parts = Part.layer({
  maxJobs: 2,
  run: ({ id }) =>
    Effect.as(
      Effect.sync(() => appendFileSync(appended, `${id}\n`)),
      id
    )
})

/** One after the other, and then two at once. The event says that an attempt has not crashed at its beginning. */
const wholes = Whole.layer({
  maxJobs: 2,
  run: ({ child, emit, flush, id }) => {
    const read = (n: number) =>
      Effect.flatMap(Effect.orDie(child(Part, { n }, { name: `${n}` })), (part) => say(`got ${id} ${n} ${part}`))
    return Effect.all(
      [
        emit({ type: "whole.begun" }),
        flush,
        Effect.forEach([1, 2, 3], read, { discard: true }),
        Effect.forEach([4, 5], read, { concurrency: "unbounded", discard: true })
      ],
      { discard: true }
    )
  }
})

const start = Effect.gen(function* () {
  const wholes = yield* Whole
  for (;;) yield* wholes.await(yield* wholes.start({}, { whenFull: "queue" }))
})

const drain = Effect.gen(function* () {
  const { unfinished } = yield* RunStore.RunStore
  for (const kind of ["whole", "part"]) {
    while ((yield* unfinished({ kind, limit: 1 })).length > 0) yield* Effect.sleep(20)
  }
  yield* say("drained")
  return yield* Effect.never
})

const starts = Effect.all([start, start], { concurrency: "unbounded", discard: true })

const worker = Effect.gen(function* () {
  yield* say("ready")
  yield* drains === undefined ? starts : drain
})

runWorker(worker, Layer.provideMerge(Layer.merge(parts, wholes), store))
