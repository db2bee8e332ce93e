/**
 * Renders results as a table.
 */
import { isMeasured, type Line, type Measured, readable, type Unit } from "./Benchmark.js"
import { type Limit, median, range, verdict } from "./Statistics.js"

const limit = (limit: Limit, unit: Unit): string =>
  "atLeast" in limit ? `≥ ${limit.atLeast}${space(unit)}` : `≤ ${limit.atMost}${space(unit)}`

export const space = (unit: Unit): string => (unit === "×" ? "×" : ` ${unit}`)

/** The median with the range of all runs, or why there is none. */
const value = ({ medianOf, unit, values }: Measured): string => {
  const middle = `${readable(median(values))}${space(unit)}`
  if (medianOf !== undefined) return `${middle} (medians of ${medianOf}, range not kept)`
  return values.length === 1 ? `${middle} (one run)` : `${middle} (${range(values).map(readable).join("–")})`
}

const cells = (line: Line, origin: string): ReadonlyArray<string> =>
  isMeasured(line)
    ? measured(line, origin)
    : [line.what, line.against, "–", "–", "–", "–", "–", `not measured: ${line.unmeasured}`, origin]

const measured = (line: Measured, origin: string): ReadonlyArray<string> => [
  line.what,
  line.against,
  line.figure,
  line.base ?? "–",
  value(line),
  limit(line.must, line.unit),
  limit(line.goal, line.unit),
  verdict(line.values, line.must, line.goal),
  origin
]

const heads = ["what", "against", "Charlotte", "the other", "value", "must", "goal", "met", "measured on"]

const row = (cells: ReadonlyArray<string>): string => `| ${cells.join(" | ")} |`

/** `origin` is the commit that was measured, and whether it is another one than that of the newest figures. */
export const markdown = (lines: ReadonlyArray<Line>, origin: string): string =>
  [row(heads), row(heads.map(() => "---")), ...lines.map((line) => row(cells(line, origin)))].join("\n")
