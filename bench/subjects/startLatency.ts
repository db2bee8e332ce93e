/**
 * How long it takes on an idle system from the call of `start` until the orchestrator runs.
 */
import { JobManager } from "charlotte"
import { Effect } from "effect"
import { percentile } from "../harness/Benchmark.js"
import { number, report } from "../harness/Subject.js"
import { config, main, managerOf } from "./manager.js"
import { warmUp } from "./warmUp.js"

let running = 0

const one = (manager: JobManager.JobManager["Type"]) =>
  Effect.gen(function* () {
    const called = performance.now()
    const id = yield* manager.start(config)
    yield* manager.await(id)
    yield* Effect.sleep("10 millis")
    return running - called
  })

const program = Effect.gen(function* () {
  const manager = yield* JobManager.JobManager
  yield* warmUp(Effect.flatMap(manager.start(config), manager.await))
  yield* Effect.replicateEffect(one(manager), 50)
  const latencies = yield* Effect.replicateEffect(one(manager), number("jobs"))
  report({ p50: percentile(latencies, 0.5), p99: percentile(latencies, 0.99) })
})

await main(
  program,
  managerOf(10, () =>
    Effect.sync(() => {
      running = performance.now()
    })
  )
)
