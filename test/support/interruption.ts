import { Effect, type Exit, Fiber, FiberId, Scheduler } from "effect"

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
