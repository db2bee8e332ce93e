/**
 * The results, by benchmark.
 */
import { execFileSync } from "node:child_process"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { cpus, release, totalmem } from "node:os"
import { join } from "node:path"
import peersManifest from "../package.json" with { type: "json" }
import manifest from "../../package.json" with { type: "json" }
import type { Found, Results } from "./Found.js"
import { publish } from "./Report.js"
import { versions } from "./Services.js"
import { root } from "./Subjects.js"

const file = join(root, "bench", "results.json")

export const read = (): Results => (existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {})

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

/** Replaces the results of the same benchmark, and updates the page and its pictures. */
export const write = (name: string, found: Pick<Found, "title" | "load" | "lines">): void => {
  const date = new Date().toISOString()
  const measured: Found = { ...found, machine: machine(), versions: used(), commit: commit(), date }
  const results: Results = { ...read(), [name]: measured }
  writeFileSync(file, `${JSON.stringify(results, undefined, 2)}\n`)
  publish(root, results)
}

/** Updates the page and its pictures from what was measured before. */
export const render = (): void => publish(root, read())
