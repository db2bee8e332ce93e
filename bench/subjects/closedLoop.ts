/**
 * Callers in a closed loop: each starts a job, awaits its end, and starts the next.
 */
import type { JobManager } from "charlotte"
import { Effect } from "effect"
import { number, stopwatch } from "../harness/Subject.js"
import { config } from "./manager.js"

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

/** The figures of `millis` milliseconds, after a warm-up. */
export const closedLoop = (manager: JobManager.JobManager["Type"], callers: number, millis: number) =>
  Effect.gen(function* () {
    const all = (millis: number) =>
      Effect.suspend(() => {
        const until = performance.now() + millis
        return Effect.map(
          Effect.forEach(Array.from({ length: callers }), () => loop(manager, until), { concurrency: "unbounded" }),
          (counts) => counts.reduce((sum, count) => sum + count, 0)
        )
      })
    yield* all(number("warmUp"))
    const read = stopwatch()
    return read(yield* all(millis))
  })
