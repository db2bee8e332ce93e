/**
 * What the jobs of a kind are allowed that jobs of tasks are not: retries and a time limit. A producer is beside their manager.
 */
import type * as Work from "../support/Work.js"
import type * as Random from "./Random.js"

export interface Kind {
  readonly retry: NonNullable<Work.Options["retry"]>
  /** In milliseconds. */
  readonly timeout: number | undefined
}

export const make = (random: Random.Random): Kind => ({
  retry: {
    times: random.between(0, 3),
    defects: random.chance(0.5),
    timeouts: random.chance(0.7),
    delay: random.chance(0.5) ? { base: random.between(100, 2_000) } : (n) => n * 300
  },
  timeout: random.chance(0.7) ? random.between(100, 4_000) : undefined
})
