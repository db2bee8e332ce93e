/** The stand-in `metered.mjs` for agents that report what they cost, and what it has drawn. */
import { Agents } from "charlotte/tasks"
import { copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import type { Cost } from "../../../src/domain/Cost.js"
import * as costs from "../../../src/progress/cost.js"

type Turn = "done" | "idle" | "budget" | "hang"

/** What the turns of each unit do, by number; further ones are `done`. */
export const install = (root: string, turns: ReadonlyArray<Turn>) => {
  copyFileSync(fileURLToPath(new URL("metered.mjs", import.meta.url)), `${root}/metered.mjs`)
  writeFileSync(`${root}/turns.json`, JSON.stringify(turns))
}

interface Options {
  readonly format?: Agents.Profile["format"]
  readonly version?: string
  readonly prices?: Agents.Profile["prices"]
}

export const profile = (root: string, { format = "claude-stream-json", prices, version = "2.1.278" }: Options = {}) => {
  const words = [`${root}/metered.mjs`, root, format, version] as const
  return new Agents.Profile({
    name: "metered",
    command: [process.execPath, ...words, "new"],
    resume: [process.execPath, ...words, "{session}"],
    prompt: "stdin",
    format,
    env: [],
    prices
  })
}

/** Says how the agent of `program.ts` in a sandbox behaves. */
export const configure = (root: string, options: Options) =>
  writeFileSync(`${root}/metered.json`, JSON.stringify(options))

/** The agent that is configured in a sandbox, if one is. */
export const configured = (root: string) =>
  existsSync(`${root}/metered.json`) ? [profile(root, JSON.parse(readFileSync(`${root}/metered.json`, "utf8")))] : []

/** The output of turns, by the name of its log. */
const logs = (root: string): ReadonlyArray<string> => {
  const directory = `${root}/charlotte/logs`
  if (!existsSync(directory)) return []
  const names = readdirSync(directory, { recursive: true, encoding: "utf8" })
  return names.filter((name) => name.endsWith(".agent.log")).map((name) => readFileSync(join(directory, name), "utf8"))
}

/** Whether the turn with this number of the only unit hangs, and its manager has kept what it has printed: else a kill loses that. */
export const hasBegun = (root: string, number: number): boolean =>
  readdirSync(root).some((name) => name.startsWith("begun-") && name.endsWith(`-${number}`)) &&
  logs(root).filter((text) => text.includes('"Hi."')).length === number

/** What it has drawn, in all. */
export const drawn = (root: string): Cost => {
  if (!existsSync(`${root}/drawn`)) return costs.nothing
  const lines = readFileSync(`${root}/drawn`, "utf8").trim().split("\n")
  return costs.sum(lines.map((line) => costs.read(JSON.parse(line)))) ?? costs.nothing
}
