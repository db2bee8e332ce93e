/**
 * Many idle jobs: how long it takes to stop them all, and the memory of each.
 */
import { JobManager } from "charlotte"
import { Effect } from "effect"
import { heap } from "./heap.js"
import { number, report } from "../harness/Subject.js"
import { config, main, managerOf } from "./manager.js"

const jobs = number("jobs")

const program = Effect.gen(function* () {
  const manager = yield* JobManager.JobManager
  const start = Effect.replicateEffect(manager.start(config), jobs, { concurrency: 100, discard: true })
  // A first round allocates what is allocated only once, such as compiled code.
  yield* start
  yield* manager.stopAll
  const before = yield* heap
  yield* start
  const idle = yield* heap
  const begun = performance.now()
  // The reports are dropped: they would count as memory of the ended jobs.
  const stopped = Effect.map(manager.stopAll, (reports) => reports.every(({ status }) => status === "cancelled"))
  if (!(yield* stopped)) throw new Error("not all jobs were stopped")
  const millis = performance.now() - begun
  const after = yield* heap
  report({
    seconds: millis / 1_000,
    kilobytesPerJob: (idle - before) / jobs / 1_000,
    kilobytesPerRecord: (after - before) / jobs / 1_000
  })
})

await main(
  program,
  managerOf(jobs, () => Effect.never)
)
