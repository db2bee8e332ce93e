/**
 * Forks the fibers of a job. They are roots: they inherit from the manager, and nothing from the caller of `start`, such as a
 * transaction or an uninterruptible region. They are uninterruptible from their first operation on, unlike a fiber that only
 * runs `Effect.uninterruptible`. Services and log annotations are set when a fiber is made: adding them inside it would
 * cost 10 KB more for each waiting job.
 */
import { Context, Effect, type Fiber, FiberRef, FiberRefs, HashMap, Runtime, RuntimeFlags, Scope, Tracer } from "effect"
import type { JobId } from "../../domain/JobId.js"

export type ForkJob = <A, E>(
  id: JobId,
  effect: Effect.Effect<A, E, Scope.Scope>,
  /** The scope of the manager by default. */
  scope?: Scope.Scope
) => Effect.Effect<Fiber.RuntimeFiber<A, E>>

export const make: Effect.Effect<ForkJob, never, Scope.Scope> = Effect.map(Effect.runtime<Scope.Scope>(), (manager) => {
  const { context, fiberRefs, runtimeFlags } = manager
  // The span around the build of the manager has ended with it.
  const services = Context.omit(Tracer.ParentSpan)(context)
  const uninterruptible = RuntimeFlags.disable(runtimeFlags, RuntimeFlags.Interruption)
  const annotations = FiberRefs.getOrDefault(fiberRefs, FiberRef.currentLogAnnotations)
  return (id, effect, scope) =>
    Effect.sync(() => {
      const own = scope === undefined ? services : Context.add(services, Scope.Scope, scope)
      return Runtime.runFork(Runtime.make({ context: own, fiberRefs, runtimeFlags: uninterruptible }), effect, {
        updateRefs: (refs, fiberId) =>
          FiberRefs.updateAs(refs, {
            fiberId,
            fiberRef: FiberRef.currentLogAnnotations,
            value: HashMap.set(annotations, "jobId", id)
          })
      })
    })
})
