/**
 * Records what a file of tests costs, where `CHARLOTTE_TEST_COSTS` names a file to append to: seconds of processor time of its process and
 * of the children that were waited for, and how many children it started. `npm run costs` prints them as a table.
 */
import { subscribe } from "node:diagnostics_channel"
import { appendFileSync, readFileSync } from "node:fs"
import { relative } from "node:path"
import { afterAll, expect } from "vitest"

const file = process.env["CHARLOTTE_TEST_COSTS"]

/** A tick is 10 ms on every Linux. */
const ofChildren = (): number => {
  const fields = readFileSync("/proc/self/stat", "utf8").split(") ")[1]?.split(" ") ?? []
  return (Number(fields[13]) + Number(fields[14])) / 100
}

const ofProcess = (): number => {
  const { system, user } = process.cpuUsage()
  return (user + system) / 1e6
}

if (file !== undefined) {
  const before = { own: ofProcess(), children: ofChildren() }
  let started = 0
  subscribe("child_process", () => (started += 1))
  afterAll(() => {
    const test = relative(process.cwd(), expect.getState().testPath ?? "")
    const costs = { test, own: ofProcess() - before.own, children: ofChildren() - before.children, started }
    appendFileSync(file, `${JSON.stringify(costs)}\n`)
  })
}
