import { describe, expect, it } from "@effect/vitest"
import { JobManager, Orchestrator, RunStore } from "charlotte"
import { Chunk, Deferred, Effect, Fiber, Layer, Stream, TestClock } from "effect"
import * as FailingSql from "../support/FailingSql.js"
import { config } from "../support/jobs.js"

describe("a stop, while the store does not answer", () => {
  it.effect("tells the orchestrator all the same, and is over when it is recorded", () =>
    Effect.gen(function* () {
      const told = yield* Deferred.make<void>()
      const Idle = Orchestrator.layer(() => Effect.onInterrupt(Effect.never, () => Deferred.succeed(told, undefined)))
      const layer = JobManager.layer().pipe(
        Layer.provide([Idle, RunStore.layer]),
        Layer.provideMerge(FailingSql.layer({ filename: ":memory:" }))
      )
      yield* Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        const { hold } = yield* FailingSql.FailingSql
        const id = yield* manager.start(config)
        const held = yield* hold(/BEGIN/)
        const stopping = yield* Effect.fork(manager.stop(id))
        yield* held.reached
        yield* TestClock.adjust("1 second")
        yield* Deferred.await(told)
        expect(stopping.unsafePoll()).toBeNull()
        yield* held.release
        expect(yield* Fiber.join(stopping)).toMatchObject({ status: "cancelled", mode: "graceful" })
        const events = Chunk.toReadonlyArray(yield* Stream.runCollect(manager.events(id)))
        expect(events.map(({ type }) => type)).toEqual(["job.started", "job.stopping", "job.cancelled"])
      }).pipe(Effect.provide(layer))
    })
  )
})
