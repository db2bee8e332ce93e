import { Effect, ExecutionStrategy, Exit, Scope } from "effect"

/** Adds the resources of a successful attempt to the scope, and closes the resources of a failed attempt immediately. */
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
