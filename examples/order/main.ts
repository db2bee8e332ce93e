/**
 * Two orders, of which one is shipped and one is stopped while it waits for its parcel: `npx tsx examples/order/main.ts orders.db`. Kill it
 * when you like, and run it again: it continues, and does nothing twice.
 */
import { DurableDeferred } from "@effect/workflow"
import { Database, Runs, RunStore } from "charlotte"
import { Workflows } from "charlotte/workflow"
import { Console, Effect, Layer, Schedule } from "effect"
import { Order, OrderLayer, Packed, Shop } from "./Order.js"

const ConsoleShop = Layer.succeed(Shop, { ask: (what, key) => Console.log(what, key.slice(0, 8)) })

const Engine = Layer.provideMerge(
  Workflows.layer({ maxJobs: 2, retention: { completed: "90 days" } }),
  Layer.provide(RunStore.layer, Database.layer({ filename: process.argv[2] ?? ":memory:" }))
)

/** Waits until an order has done all it can do for now, and returns the id of its job. */
const untilSuspended = (executionId: string) =>
  Effect.gen(function* () {
    yield* Effect.repeat(Order.poll(executionId), {
      while: (result) => result === undefined,
      schedule: Schedule.spaced("20 millis")
    })
    const runs = yield* Runs.Runs
    const [run] = yield* runs.list({ kind: "workflow.Order", labels: { execution: executionId } })
    return run === undefined ? yield* Effect.dieMessage("there is no such order") : run.id
  })

const program = Effect.gen(function* () {
  const executionId = yield* Order.execute({ order: "a-1", cents: 4900 }, { discard: true })
  yield* untilSuspended(executionId)
  const token = DurableDeferred.tokenFromExecutionId(Packed, { workflow: Order, executionId })
  yield* DurableDeferred.succeed(Packed, { token, value: { parcel: "P-17" } })
  yield* Console.log(`order a-1: ${yield* Order.execute({ order: "a-1", cents: 4900 })}`)

  const other = yield* Order.execute({ order: "a-2", cents: 900 }, { discard: true })
  const { status } = yield* Workflows.stop(yield* untilSuspended(other))
  yield* Console.log(`order a-2: ${status}`)
})

await Effect.runPromise(
  program.pipe(Effect.provide(Layer.provideMerge(Layer.provide(OrderLayer, ConsoleShop), Engine)))
)
