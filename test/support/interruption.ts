import { expect } from "@effect/vitest"
import { Effect, type Exit, Fiber, FiberId, Option, Ref, Scheduler } from "effect"

/** Runs an effect in a fiber that is interrupted when it comes to its operation number `k`. */
export const interruptedAfter = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  k: number
): Effect.Effect<Exit.Exit<A, E>, never, R> =>
  Effect.suspend(() => {
    const scheduler = new Scheduler.MixedScheduler(2048)
    let operations = 0
    const interrupting: Scheduler.Scheduler = {
      scheduleTask: (task, priority) => scheduler.scheduleTask(task, priority),
      shouldYield: (fiber) => {
        if (operations++ !== k) return scheduler.shouldYield(fiber)
        fiber.unsafeInterruptAsFork(FiberId.none)
        // The interruption is seen when the fiber comes back.
        return 0
      }
    }
    return Effect.flatMap(Effect.fork(Effect.withScheduler(effect, interrupting)), Fiber.await)
  })

/** Interrupts what is made of an effect that never ends, at operation k = 1 … 200: it ends then, and nothing of it goes on. */
export const endsWhereverInterrupted = (of: (never: Effect.Effect<never>) => Effect.Effect<unknown>) =>
  Effect.gen(function* () {
    const alive = yield* Ref.make(0)
    const one = Effect.acquireUseRelease(
      Ref.update(alive, (n) => n + 1),
      () => Effect.never,
      () => Ref.update(alive, (n) => n - 1)
    )
    for (let k = 1; k <= 200; k++) {
      const interrupted = yield* Effect.fork(interruptedAfter(of(one), k))
      // It waits for ever where it does not come to so many operations.
      yield* Effect.repeatN(Effect.yieldNow(), 20)
      yield* Fiber.interruptFork(interrupted)
      yield* Effect.repeatN(Effect.yieldNow(), 20)
      expect(Option.isSome(yield* Fiber.poll(interrupted)), `at operation ${k}`).toBe(true)
      expect(yield* Ref.get(alive)).toBe(0)
    }
  })
