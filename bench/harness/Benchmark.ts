/**
 * What a benchmark is, and what it finds.
 */

/** What a figure has to be. */
export type Limit = { readonly atLeast: number } | { readonly atMost: number }

/** One line of the table. */
export type Line = Measured | Unmeasured

/** Whom we cannot be compared with here, and why. */
export interface Unmeasured {
  readonly what: string
  readonly against: string
  readonly unmeasured: string
}

export const isMeasured = (line: Line): line is Measured => "value" in line

export interface Measured {
  readonly what: string
  readonly against: string
  /** Ours, with its unit. */
  readonly figure: string
  /** Theirs, where there is somebody to compare with. */
  readonly base?: string
  /** What is held against the limits: a ratio, or a figure of ours. */
  readonly value: number
  readonly unit: Unit
  readonly must: Limit
  readonly goal: Limit
}

export type Unit = "×" | "ms" | "s" | "KB" | "jobs"

export interface Benchmark {
  readonly name: string
  readonly title: string
  /** It is part of the short form: no service, no peers, seconds. */
  readonly short?: boolean
  readonly run: (settings: Settings) => Promise<ReadonlyArray<Line>>
}

export interface Settings {
  /** Fresh processes of each subject; their median counts. */
  readonly runs: number
  /** How long each measures, in milliseconds. */
  readonly millis: number
  /** How long each runs before, where V8 has to be done with its code, in milliseconds. */
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

/** The value below which this part of the values lies. */
export const percentile = (values: ReadonlyArray<number>, part: number): number => {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN
}

/** A number as people read it: three digits that count. */
export const readable = (value: number): string =>
  Math.abs(value) >= 100
    ? Math.round(value).toLocaleString("en-US")
    : value.toLocaleString("en-US", { maximumSignificantDigits: 3 })

/** A line of ours alone, at the most. */
export const atMost = (what: string, value: number, unit: Unit, must: number, goal: number): Measured => ({
  what,
  against: "–",
  figure: `${readable(value)} ${unit}`,
  value,
  unit,
  must: { atMost: must },
  goal: { atMost: goal }
})

/** A line of ours alone, in milliseconds, at the most. */
export const milliseconds = (what: string, value: number, must: number, goal: number): Measured =>
  atMost(what, value, "ms", must, goal)
