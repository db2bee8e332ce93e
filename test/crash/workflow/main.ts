/**
 * The order of the example on the database of the first argument, which notes in the file of the second what it asks the shop to do, and
 * kills itself as the third says: `charge:before` it asks, or `charge:after` it has asked and before that is recorded. With `stopped` as the
 * fourth argument, it is stopped once it waits; otherwise it is packed. At its end, it says what has become of it.
 */
import { DurableDeferred } from "@effect/workflow"
import { Database, RunStore } from "charlotte"
import { Workflows } from "charlotte/workflow"
import { Cause, Effect, Exit, Layer } from "effect"
import { appendFileSync } from "node:fs"
import { Order, OrderLayer, Packed, Shop } from "../../../examples/order/Order.js"
import { runWorker } from "../steps/runWorker.js"

const [filename = "", noted = "", kill = "", scenario = ""] = process.argv.slice(2)

const killAt = (point: string) => Effect.sync(() => void (point === kill && process.kill(process.pid, "SIGKILL")))

const shop = Layer.succeed(Shop, {
  ask: (what, key) =>
    killAt(`${what}:before`).pipe(
      Effect.zipRight(Effect.sync(() => appendFileSync(noted, `${what} ${key}\n`))),
      Effect.zipRight(killAt(`${what}:after`))
    )
})

const program = Effect.gen(function* () {
  const store = yield* RunStore.RunStore
  const payload = { order: "a", cents: 100 }
  const executionId = yield* Order.execute(payload, { discard: true })
  const [run] = yield* store.list({ kind: "workflow.Order" })
  if (run === undefined) return yield* Effect.dieMessage("there is no run")
  const token = DurableDeferred.tokenFromExecutionId(Packed, { workflow: Order, executionId })
  if (scenario === "stopped") {
    const rests = Effect.map(
      Effect.flatten(store.get(run.id)),
      ({ status }) => status === "parked" || status === "cancelled"
    )
    const changes = yield* store.changes(run.id)
    let isAtRest = false
    while (!isAtRest) {
      const version = yield* changes.version
      isAtRest = yield* rests
      if (!isAtRest) yield* changes.changed(version)
    }
    yield* Workflows.stop(run.id)
  } else {
    yield* DurableDeferred.succeed(Packed, { token, value: { parcel: "P-1" } })
    yield* Effect.exit(Order.execute(payload))
  }
  const steps = yield* store.steps.recall(run.id)
  const { status } = yield* Effect.flatten(store.get(run.id))
  const result = yield* Order.poll(executionId)
  const problem = result?._tag === "Complete" && Exit.isFailure(result.exit) ? Cause.pretty(result.exit.cause) : ""
  process.stdout.write(JSON.stringify({ status, problem, steps: steps.map(({ name }) => name) }))
})

const storeLayer = RunStore.layer.pipe(Layer.provide(Database.layer({ filename })))

runWorker(
  Effect.scoped(program),
  Layer.provide(OrderLayer, shop).pipe(Layer.provideMerge(Workflows.layer()), Layer.provideMerge(storeLayer))
)
