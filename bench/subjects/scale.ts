/**
 * The life of a job beside many active or recorded jobs.
 */
import { JobManager } from "charlotte"
import { Effect } from "effect"
import { number, report } from "../harness/Subject.js"
import { closedLoop } from "./closedLoop.js"
import { config, main, managerOf } from "./manager.js"

const active = number("active")

/** The first `active` jobs stay active; later ones end at once. */
let begun = 0

const program = Effect.gen(function* () {
  const manager = yield* JobManager.JobManager
  yield* Effect.replicateEffect(manager.start(config), active, { concurrency: 100, discard: true })
  report(yield* closedLoop(manager, 10, number("millis")))
  yield* manager.stopAll
})

await main(
  program,
  managerOf(active + 10, () => Effect.suspend(() => (++begun <= active ? Effect.never : Effect.void)))
)
