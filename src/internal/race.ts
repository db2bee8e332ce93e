/**
 * Concurrency that survives interruption. In Effect 3.22 the fiber of `race`, `raceFirst`, and of `all`, `forEach` and `zip`
 * with concurrency, hangs if it is interrupted while it yields just before starting the other fibers.
 * `test/internal/race.test.ts` reproduces this, and fails once Effect has fixed it.
 */
import { Deferred, Effect, Exit, Fiber, Ref } from "effect"

/**
 * Returns the exit of the first effect to end, once the others are interrupted and have ended. They are daemons, since an
 * interrupt reaches child fibers at once, even while their parent is uninterruptible.
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

/** Runs `use` for each item with bounded concurrency. The first failure interrupts the others. */
export const forEach = <A, E, R>(
  items: ReadonlyArray<A>,
  concurrency: number,
  use: (item: A) => Effect.Effect<void, E, R>
): Effect.Effect<void, E, R> =>
  Effect.suspend(() => {
    // The fibers share one iterator, so each item is used once.
    const next = items.values()
    const worker = Effect.gen(function* () {
      for (const item of next) yield* use(item)
    })
    return all(Array.from({ length: Math.min(concurrency, items.length) }, () => worker))
  })

/** Like `forEach`, but returns the results of `use` in the order of the items. */
export const map = <A, B, E, R>(
  items: ReadonlyArray<A>,
  concurrency: number,
  use: (item: A) => Effect.Effect<B, E, R>
): Effect.Effect<ReadonlyArray<B>, E, R> =>
  Effect.suspend(() => {
    const results: Array<B> = []
    const useOne = ([at, item]: readonly [number, A]) =>
      Effect.map(use(item), (result) => {
        results[at] = result
      })
    return Effect.as(forEach([...items.entries()], concurrency, useOne), results)
  })

/** Runs all effects concurrently until the last has ended. The first failure, or an interrupt, interrupts the others. */
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
