/**
 * A worker that starts jobs, and stops each once it is parked, until it is killed, on the database of the first argument. The steps of a
 * job append a line to the file of the second argument.
 */
import { Database, JobKind, RunStore } from "charlotte"
import { Effect, Layer, Schema, Stream } from "effect"
import { appendFileSync } from "node:fs"
import { runWorker } from "./runWorker.js"

const [filename = "", appended = ""] = process.argv.slice(2)

class Order extends JobKind.Tag<Order>()("order", { config: Schema.Struct({}) }) {}

/** Writing to a pipe returns once the text is in the pipe. */
const say = (text: string) => Effect.sync(() => void process.stdout.write(`${text}\n`))

/** The pause lets a kill come before the step is recorded. */
const append = (line: string) =>
  Effect.sync(() => appendFileSync(appended, `${line}\n`)).pipe(
    Effect.zipRight(say(`did ${line}`)),
    Effect.zipLeft(Effect.sleep(10))
  )

const store = RunStore.layer.pipe(Layer.provide(Database.layer({ filename })))

const orders = Order.layer({
  maxJobs: 2,
  onStop: "run",
  stopGrace: "1 hour",
  run: ({ id, park, step, stopping }) =>
    Effect.gen(function* () {
      yield* step("reserve", append(`${id} reserve`))
      if (yield* stopping) return yield* step("release", append(`${id} release`))
      return yield* park({ reason: "waits", signal: "go" })
    })
})

const worker = Effect.gen(function* () {
  const orders = yield* Order
  const { list } = yield* RunStore.RunStore
  yield* say("ready")
  for (;;) {
    const id = yield* orders.start({}, { whenFull: "queue" })
    yield* Stream.runHead(Stream.filter(orders.events(id), ({ type }) => type === "job.parked"))
    // Also what has parked before a kill.
    for (const { id } of yield* list({ kind: "order", status: "parked" })) {
      const { status } = yield* orders.stop(id)
      yield* say(`stopped ${id} ${status}`)
    }
  }
})

runWorker(worker, Layer.provideMerge(orders, store))
