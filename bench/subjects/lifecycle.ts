/**
 * Jobs that do nothing, in a closed loop.
 */
import { JobManager } from "charlotte"
import { Effect } from "effect"
import { number, report } from "../harness/Subject.js"
import { closedLoop } from "./closedLoop.js"
import { main, managerOf } from "./manager.js"

const callers = number("callers")

const program = Effect.gen(function* () {
  const manager = yield* JobManager.JobManager
  report(yield* closedLoop(manager, callers, number("millis")))
})

await main(
  program,
  managerOf(callers, () => Effect.void)
)
