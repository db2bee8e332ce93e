/**
 * What takes long to load and is not needed at first: it is made on first use, and once.
 */
import { Effect, Fiber, Runtime } from "effect"

export interface Later<out A> {
  /** Waits for it; the interruption of one caller does not affect the others. */
  readonly get: Effect.Effect<A>
  /** Whether it has been used. */
  readonly isWanted: () => boolean
}

export const make = <A, R>(make: Effect.Effect<A, never, R>): Effect.Effect<Later<A>, never, R> =>
  Effect.map(Effect.runtime<R>(), (runtime) => {
    let making: Fiber.RuntimeFiber<A> | undefined
    return {
      get: Effect.suspend(() => Effect.flatten(Fiber.await((making ??= Runtime.runFork(runtime)(make))))),
      isWanted: () => making !== undefined
    }
  })
