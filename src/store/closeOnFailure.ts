import { Effect, ExecutionStrategy, Exit, Scope } from "effect"

/** Acquires into the scope all that the effect acquires, or nothing: what a failed attempt has opened is closed at once. */
export const closeOnFailure = <A, E, R>(
  attempt: Effect.Effect<A, E, R | Scope.Scope>
): Effect.Effect<A, E, R | Scope.Scope> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const scope = yield* Scope.fork(yield* Effect.scope, ExecutionStrategy.sequential)
      return yield* Effect.onError(restore(Scope.extend(attempt, scope)), (cause) =>
        Scope.close(scope, Exit.failCause(cause))
      )
    })
  )
