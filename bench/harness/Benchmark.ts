/**
 * The definition of a benchmark, and its results.
 */

/** A bound on a value. */
export type Limit = { readonly atLeast: number } | { readonly atMost: number }

/** One line of the table. */
export type Line = Measured | Unmeasured

/** A comparison that cannot be measured here, and why. */
export interface Unmeasured {
  readonly what: string
  readonly against: string
  readonly unmeasured: string
}

export const isMeasured = (line: Line): line is Measured => "value" in line

export interface Measured {
  readonly what: string
  readonly against: string
  /** Charlotte's figure, with its unit. */
  readonly figure: string
  /** The other figure, if there is a comparison. */
  readonly base?: string
  /** The value that has limits: a ratio, or Charlotte's figure. */
  readonly value: number
  readonly unit: Unit
  readonly must: Limit
  readonly goal: Limit
}

export type Unit = "×" | "ms" | "s" | "KB" | "jobs" | "syncs"

export interface Benchmark {
  readonly name: string
  readonly title: string
  /** Whether the short form runs it, without services and peers, in seconds. */
  readonly short?: boolean
  readonly run: (settings: Settings) => Promise<ReadonlyArray<Line>>
}

export interface Settings {
  /** Number of fresh processes of each subject; their median counts. */
  readonly runs: number
  /** How long each process measures, in milliseconds. */
  readonly millis: number
  /** Warm-up of each process, in milliseconds, where V8 must have optimised the code first. */
  readonly warmUp: number
  readonly short: boolean
  /** A directory for the files of this run. */
  readonly directory: string
}

export const meets = (value: number, limit: Limit, slack = 1): boolean =>
  "atLeast" in limit ? value * slack >= limit.atLeast : value <= limit.atMost * slack

export const median = (values: ReadonlyArray<number>): number => {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

/** The value below which the fraction `part` of the values lies. */
export const percentile = (values: ReadonlyArray<number>, part: number): number => {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN
}

/** A readable number: up to three significant digits, or an integer from 100 on. */
export const readable = (value: number): string =>
  Math.abs(value) >= 100
    ? Math.round(value).toLocaleString("en-US")
    : value.toLocaleString("en-US", { maximumSignificantDigits: 3 })

/** A line without a comparison, with upper limits. */
export const atMost = (what: string, value: number, unit: Unit, must: number, goal: number): Measured => ({
  what,
  against: "–",
  figure: `${readable(value)} ${unit}`,
  value,
  unit,
  must: { atMost: must },
  goal: { atMost: goal }
})

/** The same in milliseconds. */
export const milliseconds = (what: string, value: number, must: number, goal: number): Measured =>
  atMost(what, value, "ms", must, goal)
