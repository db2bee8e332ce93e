/**
 * Jobs that do nothing, in a closed loop: each caller starts one, awaits its end, and starts the next.
 */
import { JobManager } from "charlotte"
import { Effect } from "effect"
import { number, report, stopwatch } from "../harness/Subject.js"
import { config, main, managerOf } from "./manager.js"

const callers = number("callers")

const loop = (manager: JobManager.JobManager["Type"], until: number) =>
  Effect.gen(function* () {
    let count = 0
    while (performance.now() < until) {
      const id = yield* manager.start(config)
      yield* manager.await(id)
      count += 1
    }
    return count
  })

const program = Effect.gen(function* () {
  const manager = yield* JobManager.JobManager
  const all = (millis: number) =>
    Effect.map(
      Effect.forEach(Array.from({ length: callers }), () => loop(manager, performance.now() + millis), {
        concurrency: "unbounded"
      }),
      (counts) => counts.reduce((sum, count) => sum + count, 0)
    )
  yield* all(700)
  const read = stopwatch()
  report(read(yield* all(number("millis"))))
})

await main(
  program,
  managerOf(callers, () => Effect.void)
)
