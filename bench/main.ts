/**
 * `npm run bench` runs all benchmarks, `npm run bench -- NAME …` some; both write each result to docs/performance.md as soon as
 * it is known; `--runs=1` for a first impression. `npm run bench -- --render` only writes that page again, from the results that were kept.
 * `npm run bench -- --short` is quick, writes nothing, and fails when a ratio misses its
 * "must" by more than a factor of two, three times in succession: other programs slow both sides down, but seldom evenly.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { loadavg, tmpdir } from "node:os"
import { join } from "node:path"
import { events } from "./benchmarks/events.js"
import { http } from "./benchmarks/http.js"
import { start, stop } from "./benchmarks/latency.js"
import { lifecycle } from "./benchmarks/lifecycle.js"
import { many } from "./benchmarks/many.js"
import { postgres } from "./benchmarks/postgres.js"
import { queue } from "./benchmarks/queue.js"
import { retention } from "./benchmarks/retention.js"
import { scale } from "./benchmarks/scale.js"
import { search } from "./benchmarks/search.js"
import { startup } from "./benchmarks/startup.js"
import { workflow } from "./benchmarks/workflow.js"
import { type Benchmark, isMeasured, type Line, type Settings } from "./harness/Benchmark.js"
import { render, write } from "./harness/Results.js"
import { end } from "./harness/Services.js"
import { median, meets } from "./harness/Statistics.js"
import { markdown } from "./harness/Table.js"

const benchmarks: ReadonlyArray<Benchmark> = [
  lifecycle,
  start,
  stop,
  many,
  queue,
  events,
  http,
  scale,
  search,
  retention,
  workflow,
  startup,
  postgres
]

const say = (text: string): void => void process.stderr.write(text)

const names = process.argv.slice(2).filter((argument) => !argument.startsWith("--"))
const short = process.argv.includes("--short")
const runs = process.argv.find((argument) => argument.startsWith("--runs="))?.slice("--runs=".length)
const unknown = names.filter((name) => !benchmarks.some((benchmark) => benchmark.name === name))
if (unknown.length > 0) {
  say(`there is no ${unknown.join(", ")}; there are ${benchmarks.map(({ name }) => name).join(", ")}\n`)
  process.exit(2)
}

if (process.argv.includes("--render")) {
  render()
  process.exit(0)
}

const chosen = benchmarks.filter(({ name, short: inShort }) =>
  names.length > 0 ? names.includes(name) : !short || inShort === true
)
const directory = mkdtempSync(join(tmpdir(), "charlotte-bench-"))
process.once("exit", () => rmSync(directory, { recursive: true, force: true }))
process.once("SIGINT", () => process.exit(130))
process.once("SIGTERM", () => process.exit(143))
const settings: Settings = {
  runs: Number(runs ?? (short ? 2 : 5)),
  millis: short ? 700 : 1_500,
  warmUp: short ? 1_000 : 5_000,
  short,
  directory
}

/** Lines far from their limit on any machine: only ratios, since milliseconds depend more on the disk than on Charlotte. */
const farOff = (lines: ReadonlyArray<Line>): ReadonlyArray<string> =>
  lines
    .filter(isMeasured)
    .filter(({ must, unit, values }) => unit === "×" && !meets(median(values), must, 2))
    .map(({ against, what }) => `${what} (${against})`)

const lines: Array<Line> = []
const missed: Array<string> = []
const failed: Array<string> = []
try {
  for (const { name, run, title } of chosen) {
    say(`${name} `)
    const begun = performance.now()
    const [load = 0] = loadavg()
    try {
      let found = await run(settings)
      for (let again = 0; again < 2 && short && farOff(found).length > 0; again++) found = await run(settings)
      lines.push(...found)
      missed.push(...farOff(found))
      if (!short) write(name, { title, load, lines: found })
    } catch (error) {
      failed.push(name)
      say(`\n${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
    }
    say(` ${Math.round((performance.now() - begun) / 1_000)} s\n`)
  }
} finally {
  await end()
}

process.stdout.write(`${markdown(lines, "this run")}\n`)

if (short && missed.length > 0) say(`more than a factor of two from what it must be: ${missed.join("; ")}\n`)
if (failed.length > 0) say(`failed: ${failed.join(", ")}\n`)
if (failed.length > 0 || (short && missed.length > 0)) process.exit(1)
