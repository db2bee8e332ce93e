/**
 * Durable events: some jobs emit as fast as they can, and one subscriber follows them live to the last event.
 */
import { JobManager } from "charlotte"
import { Deferred, Effect, Stream } from "effect"
import { number, report, stopwatch } from "../harness/Subject.js"
import { config, main, managerOf } from "./manager.js"

const jobs = number("jobs")
const each = number("events") / jobs

const program = Effect.gen(function* () {
  const manager = yield* JobManager.JobManager

  const round = Effect.gen(function* () {
    const seen = yield* Deferred.make<void>()
    let left = jobs * (each + 2)
    yield* manager.allEvents({ after: "latest" }).pipe(
      Stream.runForEachChunk((events) => {
        left -= events.length
        return left <= 0 ? Deferred.succeed(seen, undefined) : Effect.void
      }),
      Effect.forkScoped
    )
    // The subscriber must follow before the first event.
    yield* Effect.sleep("20 millis")
    const read = stopwatch()
    yield* Effect.replicateEffect(manager.start(config), jobs, { concurrency: "unbounded", discard: true })
    yield* Deferred.await(seen)
    return read(jobs * each)
  }).pipe(Effect.scoped)

  yield* round
  report(yield* round)
})

await main(
  program,
  managerOf(jobs, (job) =>
    Effect.gen(function* () {
      for (let n = 0; n < each; n++) yield* job.emit({ type: "bench.tick", payload: { n, text: "as long as a line" } })
    })
  )
)
