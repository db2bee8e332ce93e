/**
 * What was found, kept by benchmark: each has been measured in one run, of one commit, and can be measured again alone.
 */
import { execFileSync } from "node:child_process"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { cpus, release, totalmem } from "node:os"
import { join } from "node:path"
import manifest from "../../package.json" with { type: "json" }
import type { Benchmark, Line, Settings } from "./Benchmark.js"
import { picture } from "./Picture.js"
import { root } from "./Subjects.js"
import { markdown } from "./Table.js"

interface Found {
  readonly title: string
  readonly commit: string
  readonly date: string
  readonly runs: number
  readonly lines: ReadonlyArray<Line>
}

type Results = { [name: string]: Found }

const file = join(root, "bench", "results.json")

const read = (): Results => (existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {})

const git = (...parameters: ReadonlyArray<string>): string =>
  execFileSync("git", parameters, { cwd: root, encoding: "utf8" }).trim()

const commit = (): string =>
  git("rev-parse", "--short", "HEAD") +
  (git("status", "--porcelain", "--", "src", "bench/subjects") === "" ? "" : ", changed")

const { dependencies, version } = manifest

const machine = (): string => {
  const [cpu] = cpus()
  const versions = [
    `Charlotte ${version}`,
    `Node ${process.version}`,
    `effect ${dependencies.effect}`,
    `better-sqlite3 ${dependencies["better-sqlite3"]}`
  ]
  return `${cpus().length} cores (${cpu?.model ?? "unknown"}), ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}; ${versions.join(", ")}.`
}

/** Adds what was found, in place of what was known of the same benchmarks, and writes the table and the picture anew. */
export const write = (
  benchmarks: ReadonlyArray<Benchmark>,
  found: ReadonlyMap<string, ReadonlyArray<Line>>,
  { runs }: Settings
): void => {
  const results = read()
  for (const { name, title } of benchmarks) {
    const lines = found.get(name)
    if (lines !== undefined) {
      results[name] = { title, commit: commit(), date: new Date().toISOString().slice(0, 10), runs, lines }
    }
  }
  writeFileSync(file, `${JSON.stringify(results, undefined, 2)}\n`)
  const all = benchmarks.flatMap(({ name }) => results[name] ?? [])
  const chapters = all.map(
    ({ commit, date, lines, runs, title }) =>
      `## ${title}\n\nMedians of ${runs} runs in fresh processes, taking turns; ${date}, commit ${commit}.\n\n${markdown(lines)}\n`
  )
  writeFileSync(
    join(root, "bench", "RESULTS.md"),
    [
      "# Results",
      `Written by \`npm run bench\`. ${machine()}`,
      "“goal” and “must” say which of the two limits is met. What stands in the way of the others is in [NOTES.md](NOTES.md).",
      "![The value of each line against its limits](results.svg)",
      ...chapters
    ].join("\n\n")
  )
  writeFileSync(join(root, "bench", "results.svg"), picture(all.flatMap(({ lines }) => lines)))
}
