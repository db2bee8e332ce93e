/**
 * Renders the results: the tables and the picture of docs/performance.md, and the chart of the README.
 */
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { isMeasured } from "./Benchmark.js"
import { chart } from "./Chart.js"
import { picture } from "./Picture.js"
import { type Found, newest, type Results } from "./Found.js"
import { verdict } from "./Statistics.js"
import { markdown } from "./Table.js"

export const page = "docs/performance.md"
const images = { chart: "docs/images/speed.svg", limits: "docs/images/benchmarks.svg" }

const begin = "<!-- The rest of this page is written by `npm run bench`. -->\n"

/** The text of each file, by its name; `manual` has the hand-written part of the page. */
export const files = (manual: string, results: Results): Readonly<Record<string, string>> => ({
  [page]: `${manual.split(begin)[0] ?? ""}${begin}\n${tables(results)}`,
  [images.chart]: chart(results),
  [images.limits]: picture(measuredIn(results))
})

export const publish = (root: string, results: Results): void => {
  for (const [file, text] of Object.entries(files(readFileSync(join(root, page), "utf8"), results)))
    writeFileSync(join(root, file), text)
}

const measuredIn = (results: Results) => Object.values(results).flatMap(({ lines }) => lines.filter(isMeasured))

/** The commit of these figures, and how it differs from the newest ones. */
export const origin = ({ commit, machine }: Found, last: Found): string =>
  [
    commit === last.commit ? commit : `${commit}, not the newest`,
    ...(machine === last.machine ? [] : [`another machine: ${machine}`])
  ].join("; ")

const tables = (results: Results): string => {
  const last = newest(results)
  if (last === undefined) return "Nothing has been measured.\n"
  const lines = measuredIn(results)
  const verdicts = lines.map(({ goal, must, values }) => verdict(values, must, goal))
  const count = (of: RegExp) => verdicts.filter((verdict) => of.test(verdict)).length
  return [
    "## Figures",
    `The newest figures are those of commit ${last.commit} on ${last.machine}. ${last.versions}.`,
    `Of ${lines.length} lines, ${count(/^goal$/)} reach the goal, ${count(/^must$/)} the must, ${count(/^missed$/)} miss the must, and ${count(/\?$/)} are undecided (?), since a limit lies between their runs.`,
    "![The value of each line against its limit](images/benchmarks.svg)",
    ...Object.values(results).map(
      (found) =>
        `### ${found.title}\n\n${found.date.slice(0, 10)}, load ${found.load.toFixed(1)} at the start.\n\n${markdown(found.lines, origin(found, last))}`
    )
  ]
    .join("\n\n")
    .concat("\n")
}
