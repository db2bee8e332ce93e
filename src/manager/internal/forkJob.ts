/**
 * The fiber in which a job lives. It is a root: it inherits from the manager, and nothing from the caller of `start`, such as
 * a transaction or a region that cannot be interrupted. It is uninterruptible from its first operation on, which a fiber that
 * only runs `Effect.uninterruptible` is not.
 */
import { Effect, type Fiber, Runtime, RuntimeFlags } from "effect"
import type { JobId } from "../../domain/JobId.js"

export type ForkJob = (id: JobId, life: Effect.Effect<void>) => Effect.Effect<Fiber.RuntimeFiber<void>>

export const make: Effect.Effect<ForkJob> = Effect.map(Effect.runtime(), (runtime) => {
  const fork = Runtime.runFork(Runtime.disableRuntimeFlag(runtime, RuntimeFlags.Interruption))
  return (id, life) => Effect.sync(() => fork(Effect.annotateLogs(life, { jobId: id })))
})
