/**
 * A worker with jobs of three groups on the database of the first argument, until it is killed: it starts jobs, and says how many have
 * ended. With a second argument it starts none.
 */
import { Database, JobKind, RunStore } from "charlotte"
import { DateTime, Effect, Layer, Random, Schema } from "effect"
import { runWorker } from "../crash/steps/runWorker.js"

const [url = "", drains] = process.argv.slice(2)

class Work extends JobKind.Tag<Work>()("work", {
  config: Schema.Struct({ group: Schema.String, does: Schema.Literal("ends", "parks", "fails") }),
  group: ({ group }) => group
}) {}

/** Writing to a pipe returns once the text is in the pipe. */
const say = (text: string) => Effect.sync(() => void process.stdout.write(`${text}\n`))

/** The event says that an attempt has not crashed at its beginning. */
const work = Work.layer({
  maxJobs: 5,
  maxPerGroup: 2,
  retry: { times: 1, delay: { base: 10 } },
  run: ({ config: { does }, emit, flush, park, tries }) =>
    Effect.gen(function* () {
      yield* emit({ type: "work.begun" })
      yield* flush
      yield* Effect.sleep(yield* Random.nextIntBetween(0, 20))
      if (does === "fails" && tries === 0) return yield* Effect.fail("failed")
      if (does !== "parks" || (yield* Random.nextBoolean)) return
      return yield* park({ reason: "chance", until: DateTime.add(yield* DateTime.now, { millis: 10 }) })
    })
})

const start = Effect.gen(function* () {
  const works = yield* Work
  for (;;) {
    const group = yield* Random.choice(["a", "b", "c"])
    const does = yield* Random.choice(["ends", "parks", "fails"] as const)
    yield* works.await(yield* works.start({ group, does }, { whenFull: "queue" }))
    yield* say("ended")
  }
})

const worker = Effect.gen(function* () {
  yield* say("ready")
  yield* drains === undefined
    ? Effect.replicateEffect(start, 8, { concurrency: "unbounded", discard: true })
    : Effect.never
})

runWorker(worker, Layer.provideMerge(work, RunStore.layer.pipe(Layer.provide(Database.layerPostgres({ url })))))
