/**
 * How long it takes from the call of `stop` until the orchestrator is interrupted, and until the outcome is recorded; one job
 * after the other, each after the rest that the parameters set.
 */
import { JobManager } from "charlotte"
import { Effect } from "effect"
import { percentile } from "../harness/Benchmark.js"
import { number, report } from "../harness/Subject.js"
import { config, main, managerOf } from "./manager.js"
import { warmUp } from "./warmUp.js"

let told = 0
let running: () => void = () => {}

const one = (manager: JobManager.JobManager["Type"]) =>
  Effect.gen(function* () {
    const isRunning = new Promise<void>((resolve) => (running = resolve))
    const id = yield* manager.start(config)
    yield* Effect.promise(() => isRunning)
    if (number("rest") > 0) yield* Effect.sleep(number("rest"))
    const called = performance.now()
    yield* manager.stop(id)
    return { told: told - called, recorded: performance.now() - called }
  })

const program = Effect.gen(function* () {
  const manager = yield* JobManager.JobManager
  yield* warmUp(Effect.flatMap(manager.start(config), (id) => manager.stop(id)))
  yield* Effect.replicateEffect(one(manager), 50)
  const latencies = yield* Effect.replicateEffect(one(manager), number("jobs"))
  report({
    told: percentile(
      latencies.map(({ told }) => told),
      0.5
    ),
    recorded: percentile(
      latencies.map(({ recorded }) => recorded),
      0.5
    )
  })
})

await main(
  program,
  managerOf(10, () =>
    Effect.onInterrupt(
      Effect.zipRight(
        Effect.sync(() => running()),
        Effect.never
      ),
      () =>
        Effect.sync(() => {
          told = performance.now()
        })
    )
  )
)
