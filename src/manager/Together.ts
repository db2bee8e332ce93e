/**
 * Several things at the same time. Effect's races, and its `forEach` and `all` with a concurrency, do that too; but in Effect
 * 3.22 their fiber waits for ever when it makes way in the moment before it has started the others, and is interrupted there.
 * What is being stopped must not.
 */
import { Deferred, Effect, Exit, Fiber } from "effect"

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

/** Returns when all of them have ended. The first that fails ends the others, and so does an interruption. */
export const all = <E, R>(effects: ReadonlyArray<Effect.Effect<void, E, R>>): Effect.Effect<void, E, R> =>
  effects.length === 0
    ? Effect.void
    : Effect.uninterruptibleMask((restore) =>
        Effect.gen(function* () {
          const over = yield* Deferred.make<void, E>()
          let left = effects.length
          const settle = (exit: Exit.Exit<void, E>) =>
            Exit.isFailure(exit)
              ? Deferred.failCause(over, exit.cause)
              : Effect.suspend(() => (--left === 0 ? Deferred.succeed(over, undefined) : Effect.void))
          const fibers = yield* Effect.forEach(effects, (effect) => Effect.fork(Effect.onExit(restore(effect), settle)))
          yield* Effect.onExit(restore(Deferred.await(over)), () => Fiber.interruptAll(fibers))
        })
      )
