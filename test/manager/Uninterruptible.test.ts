/** A manager that is built, or awaited, where nothing can be interrupted, such as in a finalizer. */
import { describe, expect, it } from "@effect/vitest"
import { JobManager, Orchestrator, RunStore } from "charlotte"
import { ScriptedOrchestrator, Step, TestManager } from "charlotte/testing"
import { Chunk, Effect, Fiber, Layer, Schema, Stream, TestClock } from "effect"
import { config } from "../support/jobs.js"

describe("where nothing can be interrupted", () => {
  it.effect("events end after the terminal one", () =>
    Effect.gen(function* () {
      const manager = yield* JobManager.JobManager
      const { send } = yield* ScriptedOrchestrator.ScriptedOrchestrator
      const id = yield* manager.start(config)
      const watching = yield* Effect.fork(Effect.uninterruptible(Stream.runCollect(manager.events(id))))
      yield* Effect.yieldNow()
      yield* send(id, Step.emit({ type: "a" }), Step.flush, Step.emit({ type: "b" }), Step.succeed(1))
      yield* manager.await(id)
      const events = Chunk.toReadonlyArray(yield* Fiber.join(watching))
      expect(events.map(({ type }) => type)).toEqual(["job.started", "a", "b", "job.completed"])
    }).pipe(Effect.provide(TestManager.layer()))
  )

  it.effect("await returns when the job has ended", () =>
    Effect.gen(function* () {
      const manager = yield* JobManager.JobManager
      const { send } = yield* ScriptedOrchestrator.ScriptedOrchestrator
      const id = yield* manager.start(config)
      const waiting = yield* Effect.fork(Effect.uninterruptible(manager.await(id)))
      yield* Effect.yieldNow()
      yield* send(id, Step.succeed(1))
      expect((yield* Fiber.join(waiting)).status).toBe("completed")
    }).pipe(Effect.provide(TestManager.layer()))
  )
})

describe("a manager that is built where nothing can be interrupted", () => {
  it.scoped("closes, if acquireRelease makes it", () =>
    Effect.gen(function* () {
      const orchestrator = { run: () => Effect.never }
      const made = JobManager.make({
        kind: "n",
        config: Schema.Number,
        orchestrator,
        retention: { completed: "1 day" }
      })
      const manager = yield* Effect.acquireRelease(made, () => Effect.void)
      const id = yield* manager.start(1)
      expect(yield* manager.list).toEqual([id])
    }).pipe(Effect.scoped, Effect.provide(RunStore.layerMemory))
  )

  const managed = JobManager.layer({ retention: { completed: "1 day" } }).pipe(
    // It takes all the time that it is given.
    Layer.provide(Orchestrator.layer((job) => Effect.onInterrupt(Effect.never, () => job.graceOver))),
    Layer.provide(RunStore.layerMemory)
  )

  it.scoped("stops jobs after their grace, and closes, if its layer is provided in a finalizer", () =>
    Effect.gen(function* () {
      const stopped = Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        const id = yield* manager.start(config)
        const stopping = yield* Effect.fork(manager.stop(id))
        yield* TestClock.adjust("5 seconds")
        expect(yield* Fiber.join(stopping)).toMatchObject({ status: "cancelled", mode: "graceful" })
      })
      yield* Effect.ensuring(Effect.void, Effect.orDie(Effect.provide(stopped, managed)))
    })
  )
})
