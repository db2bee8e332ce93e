import { Effect, Scheduler } from "effect"

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
