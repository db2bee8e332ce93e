/**
 * What is not needed to begin with, and takes long to load: it is made when it is first asked for, and once.
 */
import { Effect, Fiber, Runtime } from "effect"

export interface Later<out A> {
  /** Waits for it; whoever is interrupted meanwhile takes it from nobody else. */
  readonly get: Effect.Effect<A>
  /** Whether anybody has asked for it. */
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
