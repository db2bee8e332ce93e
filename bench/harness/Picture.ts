/**
 * The results as a picture: how far the median of each line is from its "must" limit, on a logarithmic scale, and a line over the range of
 * its runs.
 */
import { type Measured, readable } from "./Benchmark.js"
import { median, range, type Verdict, verdict } from "./Statistics.js"
import { space } from "./Table.js"

const height = 24
const left = 560
const width = 1_090
/** Doublings to each side of the limit. */
const doublings = 3

const undecided = "#9a9a9a"
const colours: { readonly [verdict in Verdict]: string } = {
  goal: "#2a7d3f",
  "goal ?": undecided,
  must: "#8a9a2b",
  "must ?": undecided,
  missed: "#b03a2e",
  "missed ?": undecided
}

/** Above 1, the value is better than its limit. */
const margin = ({ must }: Measured, value: number): number => {
  if ("atLeast" in must) return value / must.atLeast
  return value === must.atMost ? 1 : must.atMost / Math.max(value, 0)
}

const escaped = (text: string): string => text.replace(/&/g, "&amp;").replace(/</g, "&lt;")

const at = (factor: number): number => {
  const clamped = Math.max(-doublings, Math.min(doublings, Math.log2(factor)))
  const middle = left + (width - left - 110) / 2
  return middle + (clamped / doublings) * ((width - left - 110) / 2)
}

/** A value that is compared with several peers gets the beginning of the peer's name. */
const label = ({ against, what }: Measured, lines: ReadonlyArray<Measured>): string => {
  const peer = /^\w.*?(?=$|[,;(]| \d)/.exec(against)?.[0]
  const isAlone = lines.filter((line) => line.what === what).length === 1
  return isAlone || peer === undefined ? what : `${what}: ${peer}`
}

const bar = (line: Measured, i: number, lines: ReadonlyArray<Measured>): string => {
  const y = 40 + i * height
  const [from, to] = [at(1), at(margin(line, median(line.values)))].sort((a, b) => a - b)
  const [least, most] = range(line.values.map((value) => at(margin(line, value))))
  return [
    `<text x="${left - 12}" y="${y + 15}" text-anchor="end">${escaped(label(line, lines))}</text>`,
    `<rect x="${from}" y="${y + 3}" width="${Math.max(1, (to ?? 0) - (from ?? 0))}" height="${height - 8}" fill="${colours[verdict(line.values, line.must, line.goal)]}"/>`,
    `<line x1="${least}" y1="${y + 11}" x2="${most}" y2="${y + 11}" stroke="#000"/>`,
    `<text x="${width - 100}" y="${y + 15}">${readable(median(line.values))}${space(line.unit)}</text>`
  ].join("\n")
}

export const picture = (lines: ReadonlyArray<Measured>): string => {
  const total = 50 + lines.length * height
  const grid = [-3, -2, -1, 0, 1, 2, 3].map((power) => {
    const x = at(2 ** power)
    const label = power === 0 ? "must" : power > 0 ? `${2 ** power}×` : `1/${2 ** -power}`
    return `<line x1="${x}" y1="32" x2="${x}" y2="${total - 8}" stroke="${power === 0 ? "#555" : "#ddd"}"/>\n<text x="${x}" y="22" text-anchor="middle" font-size="10">${label}</text>`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${total}" font-family="sans-serif" font-size="12">
<rect width="100%" height="100%" fill="#fff"/>
${grid.join("\n")}
${lines.map(bar).join("\n")}
</svg>
`
}
