/**
 * Which of several comes first. Effect's races do that too; but in Effect 3.22 one waits for ever when its fiber makes way in
 * the moment before it has started the others, and is interrupted there. A manager that closes must not.
 */
import { Deferred, Effect, Fiber } from "effect"

/** What came of the first that ends; returns when the others, which are interrupted, have ended too. */
export const first = <A, E, R>(effects: ReadonlyArray<Effect.Effect<A, E, R>>): Effect.Effect<A, E, R> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const over = yield* Deferred.make<A, E>()
      const fibers = yield* Effect.forEach(effects, (effect) =>
        Effect.fork(Effect.onExit(Effect.interruptible(effect), (exit) => Deferred.done(over, exit)))
      )
      return yield* Effect.onExit(restore(Deferred.await(over)), () => Fiber.interruptAll(fibers))
    })
  )
