/**
 * The kinds of job that the model-based test draws: one value for each option that the store acts on.
 */
import type { JobManager } from "charlotte"
import { FastCheck } from "effect"

/** Options that a kind keeps over restarts. */
export interface Kind {
  /** Jobs of `tasks` have no retries, time limit, groups and producers. */
  readonly name: "tasks" | "work"
  /** How often a failed attempt is followed by another. */
  readonly times: number
  /** Whether there is no pause before a retry. */
  readonly retriesAtOnce: boolean
  /** Whether defects and exceeded time limits are retried, too. */
  readonly retriesDefects: boolean
  readonly retriesTimeouts: boolean
  /** The time limit of an attempt, in milliseconds. */
  readonly timeout: number
  readonly onStop: "cancel" | "run"
  /** Whether the configuration determines the start key, which is an option of `start` otherwise. */
  readonly hasKey: boolean
  readonly hasGroups: boolean
}

/** Options that a restart may change. */
export interface Limits {
  readonly maxJobs: number
  readonly maxPerGroup: number | undefined
  readonly maxQueued: number
  readonly recovery: "manual" | "automatic"
  readonly retention: JobManager.Retention
}

/** Before the n-th retry, in milliseconds: no sum of such pauses, time limits and whole days is the same as another one. */
export const pauseBefore = (n: number): number => n * 86_400_000 + 7_919

const { boolean, constant, constantFrom, integer, oneof, record } = FastCheck

const tasks = constant<Kind>({
  name: "tasks",
  times: 0,
  retriesAtOnce: false,
  retriesDefects: false,
  retriesTimeouts: false,
  timeout: Infinity,
  onStop: "cancel",
  hasKey: false,
  hasGroups: false
})

const work = record({
  name: constant("work" as const),
  times: constantFrom(0, 1, 2, 2),
  retriesAtOnce: boolean(),
  retriesDefects: boolean(),
  retriesTimeouts: boolean(),
  // Longer than a manager takes to restart, by the clock of the test, times the number of commands.
  timeout: constantFrom(Infinity, 100),
  onStop: constantFrom("cancel" as const, "run" as const),
  hasKey: boolean(),
  hasGroups: boolean()
}).map((kind): Kind => ({
  ...kind,
  // Attempts that exceed their limit at the same time end in any order, and which run is next depends on it if groups count; and an
  // attempt for a stop has a time limit that the model does not know.
  timeout: kind.hasGroups || kind.onStop === "run" ? Infinity : kind.timeout
}))

export const kinds: FastCheck.Arbitrary<Kind> = oneof({ arbitrary: tasks, weight: 1 }, { arbitrary: work, weight: 4 })

const age = constantFrom(undefined, "0 millis" as const, "1 day" as const, "30 days" as const)

const retention = record({
  completed: age,
  failed: age,
  cancelled: age,
  maxRuns: constantFrom(undefined, undefined, 0, 2, 5)
})

const someLimits = record({
  maxJobs: integer({ min: 1, max: 3 }),
  maxPerGroup: constantFrom(undefined, 1, 2),
  maxQueued: constantFrom(3, 6, 10_000),
  recovery: constantFrom("manual" as const, "automatic" as const),
  retention
})

/** Limits that fit the kind. */
export const limitsOf = ({ hasGroups }: Kind, limits: Limits): Limits => ({
  ...limits,
  maxPerGroup: hasGroups ? limits.maxPerGroup : undefined
})

export const limits: FastCheck.Arbitrary<Limits> = someLimits
