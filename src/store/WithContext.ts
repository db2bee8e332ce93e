/**
 * Another context for an effect, as `Effect.mapInputContext` gives it. That takes 25 operations of the fiber, and keeps four
 * frames for as long as the effect runs; this takes 14, and keeps three. Every job and every transaction passes here.
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
