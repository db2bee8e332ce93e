/**
 * Renders results as a table.
 */
import { isMeasured, type Limit, type Line, type Measured, meets, readable, type Unit } from "./Benchmark.js"

const limit = (limit: Limit, unit: Unit): string =>
  "atLeast" in limit ? `≥ ${limit.atLeast}${space(unit)}` : `≤ ${limit.atMost}${space(unit)}`

export const space = (unit: Unit): string => (unit === "×" ? "×" : ` ${unit}`)

export const verdict = ({ goal, must, value }: Measured): string =>
  meets(value, goal) ? "goal" : meets(value, must) ? "must" : "missed"

const cells = (line: Line): ReadonlyArray<string> =>
  isMeasured(line)
    ? measured(line)
    : [line.what, line.against, "–", "–", "–", "–", "–", `not measured: ${line.unmeasured}`]

const measured = (line: Measured): ReadonlyArray<string> => [
  line.what,
  line.against,
  line.figure,
  line.base ?? "–",
  `${readable(line.value)}${space(line.unit)}`,
  limit(line.must, line.unit),
  limit(line.goal, line.unit),
  verdict(line)
]

const heads = ["what", "against", "Charlotte", "the other", "value", "must", "goal", "met"]

const row = (cells: ReadonlyArray<string>): string => `| ${cells.join(" | ")} |`

export const markdown = (lines: ReadonlyArray<Line>): string =>
  [row(heads), row(heads.map(() => "---")), ...lines.map((line) => row(cells(line)))].join("\n")
