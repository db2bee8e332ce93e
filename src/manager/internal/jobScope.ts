/**
 * The scope of a job. Effect 3.22 marks a scope as closed before it runs the finalizers: fibers that they fork into it are interrupted
 * but not awaited, and outlive the job if they are uninterruptible. `test/manager/jobScope.test.ts` reproduces that, and fails once
 * Effect no longer does it. So this scope delegates to an open scope, and to a new one while that closes, until none was used.
 */
import { Cause, Effect, Exit, Fiber, Scope } from "effect"

export interface JobScope {
  readonly scope: Scope.Scope
  /** Returns the cause of the failures in finalizers. */
  readonly close: (exit: Exit.Exit<unknown, unknown>) => Effect.Effect<Cause.Cause<unknown>>
  /** Whether everything in it has ended. */
  readonly isClosed: () => boolean
}

export const make: Effect.Effect<JobScope> = Effect.map(Scope.make(), (first) => {
  let current = first
  let isUsed = false
  let isClosed = false
  return {
    isClosed: () => isClosed,
    // `forkIn` reads more than the interface of a scope.
    scope: new Proxy<Scope.Scope>(first, {
      get: (_, name) => {
        isUsed = true
        return Reflect.get(current, name)
      }
    }),
    close: (exit) =>
      Effect.gen(function* () {
        let cause: Cause.Cause<unknown> = Cause.empty
        while (isUsed) {
          const closing = current
          current = yield* Scope.make()
          isUsed = false
          // The scope closes in a separate fiber, which ends after the fibers that the finalizers fork without a scope.
          const closed = yield* Effect.flatMap(Effect.fork(Scope.close(closing, exit)), Fiber.await)
          if (Exit.isFailure(closed)) cause = Cause.sequential(cause, closed.cause)
        }
        // Code that has left the job may still use the last scope.
        yield* Effect.exit(Scope.close(current, exit))
        isClosed = true
        return cause
      })
  }
})
