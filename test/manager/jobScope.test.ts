/** The scope of a job awaits what its finalizers put into it; a scope of Effect does not. */
import { describe, expect, it } from "@effect/vitest"
import { Cause, Deferred, Effect, Exit, Fiber, Option, Scope } from "effect"
import * as JobScope from "../../src/manager/internal/jobScope.js"

/** Forks, in a finalizer of a scope, a fiber into it that cannot be interrupted, and closes the scope. */
const closed = (scope: Scope.Scope, close: Effect.Effect<unknown>) =>
  Effect.gen(function* () {
    const gate = yield* Deferred.make<void>()
    const begun = yield* Deferred.make<void>()
    const child = Effect.zipRight(Deferred.succeed(begun, undefined), Deferred.await(gate))
    yield* Scope.addFinalizer(scope, Effect.forkIn(child, scope))
    // Where finalizers run nothing can be interrupted, and a fork inherits that.
    const closing = yield* Effect.fork(Effect.uninterruptible(close))
    yield* Deferred.await(begun)
    yield* Effect.repeatN(Effect.yieldNow(), 20)
    const hasReturned = Option.isSome(yield* Fiber.poll(closing))
    yield* Deferred.succeed(gate, undefined)
    yield* Fiber.join(closing)
    return hasReturned
  })

describe("a fiber that a finalizer forks into the scope, and that cannot be interrupted", () => {
  it.effect("is not awaited by a scope of Effect: once it is, the scope of a job can be one", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      expect(yield* closed(scope, Scope.close(scope, Exit.void))).toBe(true)
    })
  )

  it.effect("is awaited by the scope of a job", () =>
    Effect.gen(function* () {
      const { close, scope } = yield* JobScope.make
      expect(yield* closed(scope, close(Exit.void))).toBe(false)
    })
  )
})

describe("the scope of a job", () => {
  it.effect(
    "runs finalizers in reverse order, then those that they have added, and those that come later at once",
    () =>
      Effect.gen(function* () {
        const { close, scope } = yield* JobScope.make
        const ran: Array<string> = []
        const add = (name: string, then: Effect.Effect<void> = Effect.void) =>
          Scope.addFinalizer(
            scope,
            Effect.zipRight(
              Effect.sync(() => void ran.push(name)),
              then
            )
          )
        yield* add("first")
        yield* add("second", Effect.zipRight(add("third"), add("fourth")))
        const child = yield* Scope.fork(scope, { _tag: "Sequential" })
        yield* Scope.addFinalizer(
          child,
          Effect.zipRight(
            Effect.sync(() => void ran.push("child")),
            Effect.die("jammed")
          )
        )
        const cause = yield* close(Exit.void)
        expect(Cause.pretty(cause)).toContain("jammed")
        yield* add("late")
        expect(ran).toEqual(["child", "second", "first", "fourth", "third", "late"])
      })
  )
})
