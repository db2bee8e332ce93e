/**
 * The memory of a bare suspended fiber.
 */
import { Effect, Fiber } from "effect"
import { number, report } from "../harness/Subject.js"
import { heap } from "./heap.js"

const count = number("jobs")

await Effect.runPromise(
  Effect.gen(function* () {
    const before = yield* heap
    const fibers = yield* Effect.replicateEffect(Effect.forkDaemon(Effect.never), count)
    yield* Effect.sleep("50 millis")
    const after = yield* heap
    report({ kilobytes: (after - before) / count / 1_000 })
    yield* Fiber.interruptAll(fibers)
  })
)
