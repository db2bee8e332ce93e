import { Deferred, Effect, Fiber, type Option, Scheduler } from "effect"

/** Making way takes a fiber some operations itself: one that did it all the time would get nowhere. */
const often = 0.04

/** Runs an effect, and the fibers that it forks, so that they make way for each other at random; the seed says where. */
export const interleaved = (seed: number) => {
  const scheduler = new Scheduler.MixedScheduler(2048)
  // Lehmer's generator: exact in a double, and it never falls into a short cycle.
  let state = (seed % 2_147_483_646) + 1
  const random = () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647
  return Effect.withScheduler({
    scheduleTask: (task, priority) => scheduler.scheduleTask(task, priority),
    shouldYield: () => (random() < often ? 0 : false)
  })
}

/** Runs an effect, and another one from when the first comes to its operation number `k`; without a result of it if it ends before. */
export const joinedAt = <A, E, R, B, E2, R2>(
  effect: Effect.Effect<A, E, R>,
  k: number,
  other: Effect.Effect<B, E2, R2>
): Effect.Effect<Option.Option<B>, E | E2, R | R2> =>
  Effect.gen(function* () {
    const decided = yield* Deferred.make<boolean>()
    const scheduler = new Scheduler.MixedScheduler(2048)
    let operations = 0
    const counting: Scheduler.Scheduler = {
      scheduleTask: (task, priority) => scheduler.scheduleTask(task, priority),
      shouldYield: (fiber) => {
        if (operations++ !== k) return scheduler.shouldYield(fiber)
        Deferred.unsafeDone(decided, Effect.succeed(true))
        // The other one runs before the fiber comes back.
        return 0
      }
    }
    const joining = yield* Effect.fork(Effect.whenEffect(other, Deferred.await(decided)))
    yield* Effect.withScheduler(effect, counting)
    yield* Deferred.succeed(decided, false)
    return yield* Fiber.join(joining)
  })
