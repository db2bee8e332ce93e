import { describe, expect, it } from "@effect/vitest"
import { JobManager, Orchestrator, RunStore } from "charlotte"
import { Chunk, Context, Deferred, Effect, Exit, Fiber, Layer, Scope, Stream, TestClock } from "effect"
import * as FailingSql from "../support/FailingSql.js"
import { config } from "../support/jobs.js"

describe("stop while the store hangs", () => {
  it.effect("interrupts the orchestrator at once, and returns when the outcome is recorded", () =>
    Effect.gen(function* () {
      const interrupted = yield* Deferred.make<void>()
      const Idle = Orchestrator.layer(() =>
        Effect.onInterrupt(Effect.never, () => Deferred.succeed(interrupted, undefined))
      )
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
        yield* Deferred.await(interrupted)
        expect(stopping.unsafePoll()).toBeNull()
        yield* held.release
        expect(yield* Fiber.join(stopping)).toMatchObject({ status: "cancelled", mode: "graceful" })
        const events = Chunk.toReadonlyArray(yield* Stream.runCollect(manager.events(id)))
        expect(events.map(({ type }) => type)).toEqual(["job.started", "job.stopping", "job.cancelled"])
      }).pipe(Effect.provide(layer))
    })
  )

  it.scoped("fails as closed for a job that the closing layer has interrupted", () =>
    Effect.gen(function* () {
      const interrupted = yield* Deferred.make<void>()
      const Saying = Orchestrator.layer((job) =>
        Effect.onInterrupt(Effect.never, () =>
          Effect.zipRight(job.emit({ type: "bye" }), Deferred.succeed(interrupted, undefined))
        )
      )
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(JobManager.layer().pipe(Layer.provide(Saying)), scope)
      const manager = Context.get(context, JobManager.JobManager)
      const { hold } = yield* FailingSql.FailingSql
      const id = yield* manager.start(config)
      const held = yield* hold(/BEGIN/)
      const closing = yield* Effect.fork(Scope.close(scope, Exit.void))
      yield* held.reached
      yield* Deferred.await(interrupted)
      const stopping = yield* Effect.fork(Effect.flip(manager.stop(id)))
      yield* Effect.repeatN(Effect.yieldNow(), 10)
      yield* held.release
      expect(yield* Fiber.join(stopping)).toMatchObject({ _tag: "StoreError", reason: "closed" })
      yield* Fiber.join(closing)
      const { status } = yield* Effect.flatMap(RunStore.RunStore, ({ get }) => Effect.flatten(get(id)))
      expect(status).toBe("interrupted")
    }).pipe(Effect.provide(RunStore.layer.pipe(Layer.provideMerge(FailingSql.layer({ filename: ":memory:" })))))
  )
})
