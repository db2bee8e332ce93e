/**
 * How sure a figure is: the same code moves by a quarter and more between runs, so all runs count and not one number.
 */

/** The value below which the fraction `part` of the values lies, interpolated between two of them. */
const quantile = (values: ReadonlyArray<number>, part: number): number => {
  const sorted = [...values].sort((a, b) => a - b)
  const position = (sorted.length - 1) * part
  const lower = sorted[Math.floor(position)] ?? Number.NaN
  const upper = sorted[Math.ceil(position)] ?? Number.NaN
  return lower + (upper - lower) * (position - Math.floor(position))
}

export const median = (values: ReadonlyArray<number>): number => quantile(values, 0.5)

export const range = (values: ReadonlyArray<number>): readonly [least: number, most: number] => [
  Math.min(...values),
  Math.max(...values)
]

/** A bound on a value. */
export type Limit = { readonly atLeast: number } | { readonly atMost: number }

export const meets = (value: number, limit: Limit, slack = 1): boolean =>
  "atLeast" in limit ? value * slack >= limit.atLeast : value <= limit.atMost * slack

/** Three quarters of the runs are at least as good: the lower quartile, or the upper one where less is better. */
export const worseQuartile = (values: ReadonlyArray<number>, limit: Limit): number =>
  quantile(values, "atLeast" in limit ? 0.25 : 0.75)

/** Whether some runs meet the limit and some do not. */
const isInside = (values: ReadonlyArray<number>, limit: Limit): boolean => {
  const [least, most] = range(values)
  return meets(least, limit) !== meets(most, limit)
}

type Level = "goal" | "must" | "missed"

/** With a question mark, a limit lies between the runs. */
export type Verdict = Level | `${Level} ?`

/** The median is compared with the must, and the worse quartile with the goal. */
export const verdict = (values: ReadonlyArray<number>, must: Limit, goal: Limit): Verdict => {
  const best = meets(worseQuartile(values, goal), goal) ? "goal" : "must"
  const level: Level = meets(median(values), must) ? best : "missed"
  return isInside(values, must) || isInside(values, goal) ? `${level} ?` : level
}
