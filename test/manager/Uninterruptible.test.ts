/** Waiting for a manager where nothing can be interrupted, such as in a finalizer. */
import { describe, expect, it } from "@effect/vitest"
import { JobManager } from "charlotte"
import { ScriptedOrchestrator, Step, TestManager } from "charlotte/testing"
import { Chunk, Effect, Fiber, Stream } from "effect"
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
