/**
 * Provides services to what a schema returns, unless that is a result already: a schema without effects returns an `Either`, and providing
 * services costs a fiber some 25 operations.
 */
import { type Context, Effect, Either } from "effect"

export type Provide<R, R2 = never> = <A, E>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R2>

const isResult = <A, E, R>(effect: Effect.Effect<A, E, R>): effect is Effect.Effect<A, E> => Either.isEither(effect)

export const make =
  <R>(services: Context.Context<R>): Provide<R> =>
  (effect) =>
    isResult(effect) ? effect : Effect.provide(effect, services)
