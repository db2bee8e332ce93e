/**
 * Several things at the same time, of which the first that fails ends the others. `Effect.forEach` does that too; but in
 * Effect 3.22 it waits for ever when its fiber makes way in the moment before it has started the others, and is interrupted
 * there. A job that is being stopped must not.
 */
import { Deferred, Effect, Exit, Fiber } from "effect"

/** Returns when all of them have ended; when it is interrupted, so are they. */
export const together = <E, R>(effects: ReadonlyArray<Effect.Effect<void, E, R>>): Effect.Effect<void, E, R> =>
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
