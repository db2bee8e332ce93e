/**
 * A value that is made once, on first use: for values that are slow to load and often not needed.
 */
import { Effect, Fiber, Runtime } from "effect"

export interface Later<out A> {
  /** Makes the value, or awaits it; interrupting one caller does not affect the others. */
  readonly get: Effect.Effect<A>
  /** Whether it was requested. */
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
