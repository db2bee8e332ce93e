/**
 * The definition of a benchmark, and its results.
 */
import { type Limit, median } from "./Statistics.js"

/** One line of the table. */
export type Line = Measured | Unmeasured

/** A comparison that cannot be measured here, and why. */
export interface Unmeasured {
  readonly what: string
  readonly against: string
  readonly unmeasured: string
}

export const isMeasured = (line: Line): line is Measured => "values" in line

export interface Measured {
  readonly what: string
  readonly against: string
  /** The median of Charlotte's figures, with its unit. */
  readonly figure: string
  /** The median of the other figures, if there is a comparison. */
  readonly base?: string
  /** What has limits, for each run: a ratio, or Charlotte's figure. */
  readonly values: ReadonlyArray<number>
  /** The number of runs, if only their median was kept. */
  readonly medianOf?: number
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
  /** Number of fresh processes of each subject. */
  readonly runs: number
  /** How long each process measures, in milliseconds. */
  readonly millis: number
  /** Warm-up of each process, in milliseconds, where V8 must have optimised the code first. */
  readonly warmUp: number
  readonly short: boolean
  /** A directory for the files of this run. */
  readonly directory: string
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

const shown = (values: ReadonlyArray<number>, suffix: string): string => `${readable(median(values))}${suffix}`

/** A comparison of runs that took turns: each run of one side is divided by the run of the other side in the same turn. */
export const ratio = ({
  ours,
  suffix,
  theirs,
  ...line
}: Pick<Measured, "what" | "against" | "must" | "goal"> & {
  readonly ours: ReadonlyArray<number>
  readonly theirs: ReadonlyArray<number>
  /** The unit of both sides. */
  readonly suffix: string
}): Measured => ({
  ...line,
  figure: shown(ours, suffix),
  base: shown(theirs, suffix),
  values: ours.map((value, turn) => value / (theirs[turn] ?? Number.NaN)),
  unit: "×"
})

/** A line with upper limits for Charlotte's figure. */
export const atMost = (
  what: string,
  values: ReadonlyArray<number>,
  unit: Unit,
  must: number,
  goal: number
): Measured => ({
  what,
  against: "–",
  figure: shown(values, ` ${unit}`),
  values,
  unit,
  must: { atMost: must },
  goal: { atMost: goal }
})

/** The same in milliseconds. */
export const milliseconds = (what: string, values: ReadonlyArray<number>, must: number, goal: number): Measured =>
  atMost(what, values, "ms", must, goal)

/** The same beside the time of one raw commit, which shows how fast the disk was meanwhile. */
export const besideCommit = (
  what: string,
  values: ReadonlyArray<number>,
  commits: ReadonlyArray<number>,
  must: number,
  goal: number
): Measured => ({
  ...milliseconds(what, values, must, goal),
  against: "– (one raw commit on this disk)",
  base: shown(commits, " ms")
})
