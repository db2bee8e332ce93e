/** Interruption that arrives, also where Effect's own loses it. */
import { describe, expect, it } from "@effect/vitest"
import { JobManager, Orchestrator, RunStore } from "charlotte"
import { Deferred, Effect, Exit, Fiber, FiberId, Layer, Option } from "effect"
import { descendants, reliableInterrupt, repeatInterruption } from "../../src/manager/internal/reliableInterrupt.js"
import { config } from "../support/jobs.js"

/** Closes a scope with two finalizers, the last of which waits, and would then go on for ever. */
const tidying = Effect.gen(function* () {
  const begun = yield* Deferred.make<void>()
  const go = yield* Deferred.make<void>()
  const work = Effect.scoped(
    Effect.zipRight(
      Effect.addFinalizer(() => Effect.zipRight(Deferred.succeed(begun, undefined), Deferred.await(go))),
      Effect.addFinalizer(() => Effect.void)
    )
  )
  return {
    work: Effect.zipRight(work, Effect.never),
    begun: Deferred.await(begun),
    go: Deferred.succeed(go, undefined)
  }
})

const turns = Effect.repeatN(Effect.yieldNow(), 100)

describe("an interruption while the second finalizer of a scope runs", () => {
  it.live("is lost by Effect: when this fails, src/manager/internal/reliableInterrupt.ts is no longer needed", () =>
    Effect.gen(function* () {
      const { begun, go, work } = yield* tidying
      const fiber = yield* Effect.fork(work)
      yield* begun
      yield* Fiber.interruptFork(fiber)
      yield* turns
      yield* go
      yield* turns
      expect(Option.isNone(yield* Fiber.poll(fiber))).toBe(true)
      // A second one arrives.
      yield* Fiber.interrupt(fiber)
    })
  )

  it.live("arrives by reliableInterrupt", () =>
    Effect.gen(function* () {
      const { begun, go, work } = yield* tidying
      const fiber = yield* Effect.fork(work)
      yield* begun
      const interrupting = yield* Effect.fork(reliableInterrupt(fiber, FiberId.none))
      yield* turns
      yield* go
      yield* Fiber.join(interrupting)
      expect(Exit.isInterrupted(yield* Fiber.await(fiber))).toBe(true)
    })
  )

  it.live("arrives by repeatInterruption at the descendants of a fiber that has come to its end", () =>
    Effect.gen(function* () {
      const { begun, go, work } = yield* tidying
      const end = yield* Deferred.make<void>()
      const child = Effect.zipRight(Effect.fork(work), Effect.never)
      const parent = yield* Effect.fork(Effect.zipRight(Effect.fork(child), Deferred.await(end)))
      yield* begun
      const fibers = yield* descendants(parent)
      expect(fibers).toHaveLength(2)
      yield* Deferred.succeed(end, undefined)
      const repeating = yield* Effect.fork(repeatInterruption(fibers, FiberId.none))
      yield* turns
      yield* go
      yield* Fiber.join(repeating)
      expect(Exit.isSuccess(yield* Fiber.await(parent))).toBe(true)
    })
  )

  for (const [where, fork] of Object.entries({
    "a child": Effect.fork,
    "a child of a child": (work: Effect.Effect<never>) => Effect.fork(Effect.zipRight(Effect.fork(work), Effect.never))
  })) {
    it.live(`does not keep a job from ending whose work succeeds while ${where} of it is there`, () =>
      Effect.gen(function* () {
        const { begun, go, work } = yield* tidying
        const Forking = Orchestrator.layer(() => Effect.zipRight(fork(work), begun))
        yield* Effect.gen(function* () {
          const manager = yield* JobManager.JobManager
          const id = yield* manager.start(config)
          yield* begun
          yield* turns
          yield* go
          expect((yield* manager.await(id)).status).toBe("completed")
        }).pipe(Effect.provide(JobManager.layer().pipe(Layer.provide([Forking, RunStore.layerMemory]))))
      })
    )
  }
})
