/**
 * What was found, kept by benchmark: each has been measured in one run, of one commit, and can be measured again alone.
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

type Results = { [name: string]: Found }

const file = join(root, "bench", "results.json")

const read = (): Results => (existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {})

const git = (...parameters: ReadonlyArray<string>): string =>
  execFileSync("git", parameters, { cwd: root, encoding: "utf8" }).trim()

const commit = (): string =>
  git("rev-parse", "--short", "HEAD") +
  (git("status", "--porcelain", "--", "src", "bench/subjects", "bench/peers") === "" ? "" : ", changed")

const { dependencies, version } = manifest

const peers = Object.entries(peersManifest.dependencies).map(([name, version]) => `${name} ${version}`)

const machine = (): string => {
  const [cpu] = cpus()
  const all = [
    `Charlotte ${version}`,
    `Node ${process.version}`,
    `effect ${dependencies.effect}`,
    `better-sqlite3 ${dependencies["better-sqlite3"]}`,
    `@effect/experimental ${dependencies["@effect/experimental"]}`,
    ...peers,
    ...versions()
  ]
  return `${cpus().length} cores (${cpu?.model ?? "unknown"}), ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}; ${all.join(", ")}.`
}

/** Adds what was found, in place of what was known of the same benchmark, and writes the table and the picture anew. */
export const write = (
  benchmarks: ReadonlyArray<Benchmark>,
  name: string,
  found: Omit<Found, "commit" | "date">
): void => {
  const results: Results = {
    ...read(),
    [name]: { ...found, commit: commit(), date: new Date().toISOString().slice(0, 10) }
  }
  writeFileSync(file, `${JSON.stringify(results, undefined, 2)}\n`)
  const all = benchmarks.flatMap(({ name }) => results[name] ?? [])
  const lines = all.flatMap(({ lines }) => lines).filter(isMeasured)
  const count = (of: string) => lines.filter((line) => verdict(line) === of).length
  const chapters = all.map(
    ({ commit, date, lines, load, runs, title }) =>
      `## ${title}\n\n${runs === 1 ? "One run" : `Medians of ${runs} runs`} in fresh processes, taking turns; ${date}, commit ${commit}, at a load of ${load.toFixed(1)} when it began.\n\n${markdown(lines)}\n`
  )
  writeFileSync(
    join(root, "bench", "RESULTS.md"),
    [
      "# Results",
      `Written by \`npm run bench\`. ${machine()}`,
      `Of ${lines.length} lines, ${count("goal")} reach the goal, ${count("must")} what they must, and ${count("missed")} miss it. What stands in the way is in [NOTES.md](NOTES.md).`,
      "![The value of each line against its limits](results.svg)",
      ...chapters
    ].join("\n\n")
  )
  writeFileSync(join(root, "bench", "results.svg"), picture(lines))
}
