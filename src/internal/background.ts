/**
 * Forks fibers that run in the background until a scope closes. Acquiring a resource, as in `Effect.acquireRelease` or a finalizer, is
 * uninterruptible; a fiber that is forked there inherits that, and would never end.
 */
import { Effect, type Fiber, Runtime, RuntimeFlags, type Scope } from "effect"

/** Forks an effect into the scope, which interrupts it when it closes. */
export const fork = <A, E, R>(
  effect: Effect.Effect<A, E, R>
): Effect.Effect<Fiber.RuntimeFiber<A, E>, never, R | Scope.Scope> =>
  // oxlint-disable-next-line eslint/no-restricted-properties -- the one place that makes it interruptible
  Effect.forkScoped(Effect.interruptible(effect))

/** A runtime whose fibers can be interrupted. */
export const runtime = <R>(): Effect.Effect<Runtime.Runtime<R>, never, R> =>
  Effect.map(Effect.runtime<R>(), Runtime.enableRuntimeFlag(RuntimeFlags.Interruption))
