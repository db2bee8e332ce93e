/**
 * `Effect.mapInputContext` with fewer operations (14 instead of 25) and one retained frame less (3 instead of 4) on Effect
 * 3.22; every job and every transaction runs through it.
 */
import { type Context, Effect, FiberRef } from "effect"

export const withContext = <A, E, R, R0>(
  effect: Effect.Effect<A, E, R>,
  change: (context: Context.Context<R0>) => Context.Context<R>
): Effect.Effect<A, E, R0> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(
      FiberRef.modify(FiberRef.currentContext, (before) => [
        before,
        // oxlint-disable-next-line typescript/consistent-type-assertions -- variance seam: a fiber that runs this has R0
        change(before as Context.Context<R0>)
      ]),
      (before) => {
        const putBack = FiberRef.set(FiberRef.currentContext, before)
        // oxlint-disable-next-line typescript/consistent-type-assertions -- variance seam: what the effect needs is there now
        return Effect.matchCauseEffect(restore(effect) as Effect.Effect<A, E>, {
          onFailure: (cause) => Effect.zipRight(putBack, Effect.failCause(cause)),
          onSuccess: (value) => Effect.as(putBack, value)
        })
      }
    )
  )
