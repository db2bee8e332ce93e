import { Effect, Scheduler } from "effect"

/** Making way takes a fiber some operations itself: one that did it all the time would get nowhere. */
const often = 0.04

/** Runs an effect, and the fibers that it forks, so that they make way for each other at random; the seed says where. */
export const interleaved = (seed: number) => {
  const scheduler = new Scheduler.MixedScheduler(2048)
  let state = seed
  const random = () => (state = (state * 1_103_515_245 + 12_345) % 2 ** 31) / 2 ** 31
  return Effect.withScheduler({
    scheduleTask: (task, priority) => scheduler.scheduleTask(task, priority),
    shouldYield: () => (random() < often ? 0 : false)
  })
}
