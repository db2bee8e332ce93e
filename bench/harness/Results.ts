/**
 * What was found, kept by machine and benchmark: each has been measured in one run, of one commit, and can be measured again
 * alone. Machines are kept apart: what runs in the processor and what waits for the disk are not as fast or slow together.
 */
import { execFileSync } from "node:child_process"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { cpus, release, totalmem } from "node:os"
import { join } from "node:path"
import peersManifest from "../package.json" with { type: "json" }
import manifest from "../../package.json" with { type: "json" }
import { type Benchmark, isMeasured, type Line } from "./Benchmark.js"
import { picture } from "./Picture.js"
import { versions } from "./Services.js"
import { root } from "./Subjects.js"
import { markdown, verdict } from "./Table.js"

interface Found {
  readonly title: string
  readonly commit: string
  readonly date: string
  readonly runs: number
  /** The mean number of processes that ran or wanted to when it began; above 1 or so, others were at work. */
  readonly load: number
  readonly lines: ReadonlyArray<Line>
}

interface Machine {
  readonly versions: string
  readonly found: { readonly [name: string]: Found }
}

/** The one that was measured last is the first. */
type Results = { readonly [machine: string]: Machine }

const file = join(root, "bench", "results.json")

const read = (): Results => (existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {})

const git = (...parameters: ReadonlyArray<string>): string =>
  execFileSync("git", parameters, { cwd: root, encoding: "utf8" }).trim()

const commit = (): string =>
  git("rev-parse", "--short", "HEAD") +
  (git("status", "--porcelain", "--", "src", "bench/subjects", "bench/peers") === "" ? "" : ", changed")

const { dependencies, devDependencies, version } = manifest

const peers = Object.entries(peersManifest.dependencies).map(([name, version]) => `${name} ${version}`)

const machine = (): string =>
  `${cpus().length} cores (${cpus()[0]?.model ?? "unknown"}), ${Math.round(totalmem() / 2 ** 30)} GiB`

const used = (): string =>
  [
    `Linux ${release()}`,
    `Charlotte ${version}`,
    `Node ${process.version}`,
    `effect ${devDependencies.effect}`,
    `better-sqlite3 ${dependencies["better-sqlite3"]}`,
    `@effect/experimental ${devDependencies["@effect/experimental"]}`,
    ...peers,
    ...versions()
  ].join(", ")

/** Adds what was found, in place of what was known of the same benchmark here, and writes tables and pictures anew. */
export const write = (
  benchmarks: ReadonlyArray<Benchmark>,
  name: string,
  found: Omit<Found, "commit" | "date">
): void => {
  const { [machine()]: here, ...others } = read()
  const date = new Date().toISOString().slice(0, 10)
  const results: Results = {
    [machine()]: { versions: used(), found: { ...here?.found, [name]: { ...found, commit: commit(), date } } },
    ...others
  }
  writeFileSync(file, `${JSON.stringify(results, undefined, 2)}\n`)
  const chapters = Object.entries(results).map(([machine, measured]) => chapter(benchmarks, machine, measured))
  writeFileSync(
    join(root, "bench", "RESULTS.md"),
    [
      "# Results",
      "Written by `npm run bench`. What stands in the way of what is missed is in [NOTES.md](NOTES.md).",
      ...chapters
    ].join("\n\n")
  )
}

/** What was measured on one machine; its picture is written beside it. */
const chapter = (benchmarks: ReadonlyArray<Benchmark>, machine: string, { found, versions }: Machine): string => {
  const all = benchmarks.flatMap(({ name }) => found[name] ?? [])
  const lines = all.flatMap(({ lines }) => lines).filter(isMeasured)
  const count = (of: string) => lines.filter((line) => verdict(line) === of).length
  const svg = `results-${machine
    .toLowerCase()
    .replace(/\((?:r|tm)\)/g, "")
    .replace(/[^a-z0-9]+/g, "-")}.svg`
  writeFileSync(join(root, "bench", svg), picture(lines))
  return [
    `## ${machine}`,
    `${versions}.`,
    `Of ${lines.length} lines, ${count("goal")} reach the goal, ${count("must")} what they must, and ${count("missed")} miss it.`,
    `![The value of each line against its limits](${svg})`,
    ...all.map(
      ({ commit, date, lines, load, runs, title }) =>
        `### ${title}\n\n${runs === 1 ? "One run" : `Medians of ${runs} runs`} in fresh processes, taking turns; ${date}, commit ${commit}, at a load of ${load.toFixed(1)} when it began.\n\n${markdown(lines)}\n`
    )
  ].join("\n\n")
}
