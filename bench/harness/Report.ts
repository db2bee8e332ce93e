/**
 * Renders the results: the tables and the picture of docs/performance.md, and the chart of the README.
 */
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { isMeasured } from "./Benchmark.js"
import { chart } from "./Chart.js"
import { picture } from "./Picture.js"
import type { Machine, Results } from "./Found.js"
import { markdown, verdict } from "./Table.js"

export const page = "docs/performance.md"
const images = { chart: "docs/images/speed.svg", limits: "docs/images/benchmarks.svg" }

const begin = "<!-- The rest of this page is written by `npm run bench`. -->\n"

/** The text of each file, by its name; `manual` has the hand-written part of the page. */
export const files = (manual: string, results: Results): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(results).flatMap(([name, machine]) => [
      [page, `${manual.split(begin)[0] ?? ""}${begin}\n${tables(name, machine)}`],
      [images.chart, chart(name, machine)],
      [images.limits, picture(Object.values(machine.found).flatMap(({ lines }) => lines.filter(isMeasured)))]
    ])
  )

export const publish = (root: string, results: Results): void => {
  for (const [file, text] of Object.entries(files(readFileSync(join(root, page), "utf8"), results)))
    writeFileSync(join(root, file), text)
}

const tables = (name: string, { found, versions }: Machine): string => {
  const all = Object.values(found)
  const lines = all.flatMap(({ lines }) => lines).filter(isMeasured)
  const count = (of: string) => lines.filter((line) => verdict(line) === of).length
  return [
    "## Figures",
    `${name}. ${versions}.`,
    `Of ${lines.length} lines, ${count("goal")} reach the goal, ${count("must")} the limit, and ${count("missed")} miss it.`,
    "![The value of each line against its limit](images/benchmarks.svg)",
    ...all.map(
      ({ commit, date, lines, load, runs, title }) =>
        `### ${title}\n\n${runs === 1 ? "One run" : `Medians of ${runs} runs`} in fresh processes, taking turns; ${date}, commit ${commit}, load ${load.toFixed(1)} at the start.\n\n${markdown(lines)}`
    )
  ]
    .join("\n\n")
    .concat("\n")
}
