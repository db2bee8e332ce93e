/**
 * Reads what earlier attempts of a job have recorded, at most once in an attempt.
 */
import { Deferred, Effect, FiberId } from "effect"
import type { StoreError } from "../../domain/errors.js"
import type { Run } from "../../domain/Run.js"
import type { Core } from "./Core.js"

/** It reads in a fiber of the manager: the fiber that asks first may be interrupted. Before the first attempt of a job there is nothing. */
export const recallOnce = <Config, A>(
  core: Core<Config>,
  { attempt, chain, id }: Run,
  { nothing, read }: { readonly nothing: () => A; readonly read: Effect.Effect<A, StoreError> }
): Effect.Effect<A> => {
  let recalled: Deferred.Deferred<A> | undefined
  return Effect.suspend(() => {
    if (recalled !== undefined) return Deferred.await(recalled)
    const reading = (recalled = Deferred.unsafeMake<A>(FiberId.none))
    const isFirst = attempt === 1 && chain === undefined
    const known = isFirst ? Effect.sync(nothing) : Effect.orDie(core.persistRetry.persist(id, read))
    const done = Effect.asVoid(Effect.intoDeferred(known, reading))
    return Effect.zipRight(isFirst ? done : core.fork(done), Deferred.await(reading))
  })
}
