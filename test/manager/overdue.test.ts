/** Jobs whose work has ended, and of which something runs that cannot be interrupted. */
import { describe, expect, it } from "@effect/vitest"
import { JobKind, RunStore } from "charlotte"
import { Deferred, Effect, Fiber, Layer, Schema, type Scope, TestClock } from "effect"
import { poll } from "../../src/internal/RealClock.js"

class Work extends JobKind.Tag<Work>()("work", { config: Schema.Struct({}) }) {}

/** By its place, a fork that cannot be interrupted before it is allowed to end. */
const forks: Record<string, (fork: Effect.Effect<unknown>) => Effect.Effect<unknown, unknown, Scope.Scope>> = {
  "a finalizer of its scope": (fork) => Effect.addFinalizer(() => fork),
  "a finalizer that its work awaits": (fork) => Effect.ensuring(Effect.void, fork),
  "a finalizer of its work that fails": (fork) => Effect.onError(Effect.fail("no"), () => fork)
}

for (const [where, run] of Object.entries(forks)) {
  describe(`a fork in ${where} that cannot be interrupted`, () => {
    it.effect("is overdue after its grace, with and without a stop, and keeps its permit until it has ended", () =>
      Effect.gen(function* () {
        const free = yield* Deferred.make<void>()
        const begun = yield* Deferred.make<void>()
        const fork = Effect.fork(
          Effect.uninterruptible(Effect.zipRight(Deferred.succeed(begun, undefined), Deferred.await(free)))
        )
        yield* Effect.gen(function* () {
          const { activeCount, await: awaitEnd, health, start, stop } = yield* Work
          const id = yield* start({})
          yield* Deferred.await(begun)
          yield* TestClock.adjust("4 seconds")
          expect(yield* health).not.toHaveProperty("overdue")
          yield* TestClock.adjust("1 seconds")
          expect(yield* health).toMatchObject({ healthy: true, overdue: [id] })
          const stopping = yield* Effect.fork(Effect.flip(stop(id, { grace: 0 })))
          yield* TestClock.adjust("1 seconds")
          expect(yield* Fiber.join(stopping)).toMatchObject({ _tag: "StopTimedOut" })
          expect(yield* health).toMatchObject({ overdue: [id] })
          expect(yield* activeCount).toBe(1)
          yield* Deferred.succeed(free, undefined)
          yield* awaitEnd(id)
          yield* poll(activeCount, { until: (count) => count === 0, pause: 5, atMost: "20 seconds" })
          expect(yield* health).not.toHaveProperty("overdue")
        }).pipe(Effect.provide(Layer.provide(Work.layer({ run: () => run(fork) }), RunStore.layerMemory)))
      })
    )
  })
}
