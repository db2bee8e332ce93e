import { describe, expect, it } from "@effect/vitest"
import { Cause, Context, Effect, Exit, Fiber, Ref } from "effect"
import { withContext } from "../../src/store/WithContext.js"
import { interruptedAfter } from "../support/interruption.js"

class Name extends Context.Tag("test/Name")<Name, string>() {}

const named = (name: string) => (context: Context.Context<never>) => Context.add(context, Name, name)

const seen = Effect.map(Effect.context<never>(), Context.getOption(Name))

describe("withContext", () => {
  it.effect("provides the context to the effect only, also when nested", () =>
    Effect.gen(function* () {
      const before = yield* Effect.context<never>()
      const inner = withContext(Name, named("inner"))
      expect(yield* withContext(Effect.all([Name, inner, Name]), named("outer"))).toEqual(["outer", "inner", "outer"])
      expect(yield* Effect.exit(withContext(Effect.flatMap(Name, Effect.fail), named("failed")))).toEqual(
        Exit.fail("failed")
      )
      expect(yield* Effect.exit(withContext(Effect.die("a defect"), named("dead")))).toEqual(Exit.die("a defect"))
      expect(yield* Effect.context<never>()).toBe(before)
    })
  )

  it.effect("restores the context wherever the effect is interrupted, and keeps it interruptible", () =>
    Effect.gen(function* () {
      const within = yield* Ref.make(0)
      for (let k = 1; k <= 40; k++) {
        const after = yield* Ref.make<ReadonlyArray<unknown>>([])
        const look = Effect.flatMap(seen, (name) => Ref.update(after, (all) => [...all, name]))
        const work = Effect.zipRight(
          Ref.update(within, (n) => n + 1),
          Effect.repeatN(Effect.void, 20)
        )
        const exit = yield* interruptedAfter(Effect.ensuring(withContext(work, named("work")), look), k)
        if (Exit.isFailure(exit)) expect(Cause.isInterruptedOnly(exit.cause)).toBe(true)
        for (const name of yield* Ref.get(after)) expect(name).toMatchObject({ _tag: "None" })
      }
      expect(yield* Ref.get(within)).toBeGreaterThan(10)

      const endless = yield* Effect.fork(withContext(Effect.never, named("endless")))
      yield* Effect.yieldNow()
      expect(Exit.isInterrupted(yield* Fiber.interrupt(endless))).toBe(true)
      const ended = yield* Ref.make(false)
      const work = Effect.zipRight(Effect.yieldNow(), Ref.set(ended, true))
      const fixed = yield* Effect.fork(Effect.uninterruptible(withContext(work, named("fixed"))))
      yield* Effect.yieldNow()
      yield* Fiber.interrupt(fixed)
      expect(yield* Ref.get(ended)).toBe(true)
    })
  )
})
