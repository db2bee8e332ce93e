/**
 * `npm run bench` measures everything, `npm run bench -- NAME …` some; both write what they find into RESULTS.md.
 * `npm run bench -- --short` is quick, writes nothing, and fails when a "must" is missed by more than a factor of two.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { events } from "./benchmarks/events.js"
import { start, stop } from "./benchmarks/latency.js"
import { lifecycle } from "./benchmarks/lifecycle.js"
import { many } from "./benchmarks/many.js"
import { scale } from "./benchmarks/scale.js"
import { startup } from "./benchmarks/startup.js"
import { type Benchmark, type Line, meets, type Settings } from "./harness/Benchmark.js"
import { write } from "./harness/Results.js"
import { markdown } from "./harness/Table.js"

const benchmarks: ReadonlyArray<Benchmark> = [lifecycle, start, stop, many, events, scale, startup]

const names = process.argv.slice(2).filter((argument) => !argument.startsWith("--"))
const short = process.argv.includes("--short")
const unknown = names.filter((name) => !benchmarks.some((benchmark) => benchmark.name === name))
if (unknown.length > 0) {
  process.stderr.write(
    `there is no ${unknown.join(", ")}; there are ${benchmarks.map(({ name }) => name).join(", ")}\n`
  )
  process.exit(2)
}

const chosen = benchmarks.filter(({ name, short: inShort }) =>
  names.length > 0 ? names.includes(name) : !short || inShort === true
)
const directory = mkdtempSync(join(tmpdir(), "charlotte-bench-"))
const settings: Settings = { runs: short ? 3 : 5, millis: short ? 1_000 : 2_000, short, directory }

const found = new Map<string, ReadonlyArray<Line>>()
try {
  for (const { name, run } of chosen) {
    process.stderr.write(`${name} `)
    found.set(name, await run(settings))
    process.stderr.write("\n")
  }
} finally {
  rmSync(directory, { recursive: true, force: true })
}

const lines = [...found.values()].flat()
process.stdout.write(`${markdown(lines)}\n`)
if (!short) write(benchmarks, found, settings)

const missed = lines.filter(({ must, value }) => !meets(value, must, 2))
if (short && missed.length > 0) {
  process.stderr.write(`more than a factor of two from what it must be: ${missed.map(({ what }) => what).join("; ")}\n`)
  process.exit(1)
}
