/**
 * Concurrency that survives interruption. In Effect 3.22 the fiber of `race`, `raceFirst`, and of `all`, `forEach` and `zip`
 * with a concurrency, waits for ever when it yields just before it has started the others and is interrupted there.
 * `test/internal/race.test.ts` reproduces that, and fails once Effect no longer does it.
 */
import { Deferred, Effect, Exit, Fiber, Ref } from "effect"

/**
 * The first to end decides; the others are interrupted, and have ended when this returns. They are daemons: an interruption
 * of a fiber reaches its children at once, also while it runs what cannot be interrupted.
 */
export const first = <A, E, R>(effects: ReadonlyArray<Effect.Effect<A, E, R>>): Effect.Effect<A, E, R> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const over = yield* Deferred.make<A, E>()
      const fibers = yield* Effect.forEach(effects, (effect) =>
        Effect.forkDaemon(Effect.onExit(Effect.interruptible(effect), (exit) => Deferred.done(over, exit)))
      )
      return yield* Effect.onExit(restore(Deferred.await(over)), () => Fiber.interruptAll(fibers))
    })
  )

/** Does the same for each item, for so many of them at the same time. The first failure ends the others. */
export const forEach = <A, E, R>(
  items: ReadonlyArray<A>,
  concurrency: number,
  use: (item: A) => Effect.Effect<void, E, R>
): Effect.Effect<void, E, R> =>
  Effect.suspend(() => {
    // Each fiber takes the next item that none has taken yet.
    const next = items.values()
    const some = Effect.gen(function* () {
      for (const item of next) yield* use(item)
    })
    return all(Array.from({ length: Math.min(concurrency, items.length) }, () => some))
  })

/** Runs all at the same time, until the last has ended. The first failure ends the others, and so does an interruption. */
export const all = <E, R>(effects: ReadonlyArray<Effect.Effect<void, E, R>>): Effect.Effect<void, E, R> =>
  effects.length === 0
    ? Effect.void
    : Effect.uninterruptibleMask((restore) =>
        Effect.gen(function* () {
          const over = yield* Deferred.make<void, E>()
          const left = yield* Ref.make(effects.length)
          const settle = (exit: Exit.Exit<void, E>) =>
            Exit.isFailure(exit)
              ? Deferred.failCause(over, exit.cause)
              : Effect.flatMap(
                  Ref.updateAndGet(left, (n) => n - 1),
                  (n) => (n === 0 ? Deferred.succeed(over, undefined) : Effect.void)
                )
          const fibers = yield* Effect.forEach(effects, (effect) => Effect.fork(Effect.onExit(restore(effect), settle)))
          yield* Effect.onExit(restore(Deferred.await(over)), () => Fiber.interruptAll(fibers))
        })
      )
