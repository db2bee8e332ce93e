/**
 * The fiber that a job lives in. It is a root: it inherits from the manager, and nothing from whoever called it, such as a
 * transaction or a region that cannot be interrupted. What a job needs around it, it is born with: to put that on inside the
 * fiber would take as long as the rest of a short job.
 */
import { Context, Effect, FiberRef, FiberRefs, HashMap, Runtime, Scope } from "effect"
import type { JobId } from "../domain/JobId.js"

/** Begins at once to run what a job does, with the job's scope, and its id in everything that it logs. */
export type Fork = (id: JobId, scope: Scope.Scope, life: Effect.Effect<void, never, Scope.Scope>) => void

export const make: Effect.Effect<Fork> = Effect.map(Effect.runtime(), (runtime) => {
  const { context, fiberRefs, runtimeFlags } = runtime
  const annotations = FiberRefs.getOrDefault(fiberRefs, FiberRef.currentLogAnnotations)
  return (id, scope, life) => {
    const own = Runtime.make({ context: Context.add(context, Scope.Scope, scope), fiberRefs, runtimeFlags })
    Runtime.runFork(own, life, {
      updateRefs: (refs, fiberId) =>
        FiberRefs.updateAs(refs, {
          fiberId,
          fiberRef: FiberRef.currentLogAnnotations,
          value: HashMap.set(annotations, "jobId", id)
        })
    })
  }
})
