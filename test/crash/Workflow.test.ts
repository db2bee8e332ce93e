/** The order of the example, killed by `kill -9` at each of its steps, on one SQLite file. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { bundle } from "../support/bundle.js"
import * as TemporaryDirectory from "../support/TemporaryDirectory.js"

const program = Effect.flatMap(TemporaryDirectory.make, (directory) =>
  bundle(directory, fileURLToPath(new URL("workflow/main.ts", import.meta.url)))
)

/** What each way of the order asks the shop to do. */
const scenarios = {
  packed: ["reserve", "charge", "ship"],
  stopped: ["reserve", "charge", "refund", "release"]
}

/** Each step once before and once after it has asked, where the order is killed. */
const points = Object.entries(scenarios).flatMap(([scenario, steps]) =>
  steps.flatMap((step) => ["before", "after"].map((when) => ({ scenario, steps, kill: `${step}:${when}` })))
)

describe("an order that is killed", () => {
  it.scopedLive(
    "records each step once, and repeats at most the one that was not recorded, with the same key",
    () =>
      Effect.gen(function* () {
        const main = yield* program
        const directory = yield* TemporaryDirectory.make
        for (const { kill, scenario, steps } of points) {
          const about = `${scenario}, killed at ${kill}`
          const files = [`${directory}/${scenario}-${kill}.db`, `${directory}/${scenario}-${kill}.noted`]
          const live = (kill: string) =>
            spawnSync(process.execPath, [main, ...files, kill, scenario], { encoding: "utf8" })

          const killed = live(kill)
          expect(killed.signal, `${about}: ${killed.stderr}`).toBe("SIGKILL")
          const { status, stderr, stdout } = live("")
          expect(status, `${about}: ${stderr}`).toBe(0)

          const isStopped = scenario === "stopped"
          expect(JSON.parse(stdout), about).toMatchObject({
            status: isStopped ? "cancelled" : "completed",
            steps: [
              ...steps.slice(0, 2).map((step) => `activity/${step}/1`),
              ...(stdout.includes("clock/late") ? ["clock/late"] : []),
              ...steps.slice(2).map((step) => `activity/${step}/1`),
              "exit"
            ]
          })
          const noted = readFileSync(files[1] ?? "", "utf8")
            .trimEnd()
            .split("\n")
          const repeated = kill.endsWith(":after") ? [kill.slice(0, -":after".length)] : []
          expect(noted.map((line) => line.split(" ")[0]).toSorted(), about).toEqual([...steps, ...repeated].toSorted())
          expect(new Set(noted).size, about).toBe(steps.length)
        }
        process.stdout.write(`workflow: ${points.length} kills\n`)
      }),
    600_000
  )

  it.scopedLive(
    "three times in a row within one step fails, which its exit says, and is not compensated",
    () =>
      Effect.gen(function* () {
        const main = yield* program
        const directory = yield* TemporaryDirectory.make
        const files = [`${directory}/orders.db`, `${directory}/noted`]
        const live = (kill: string) => spawnSync(process.execPath, [main, ...files, kill], { encoding: "utf8" })
        for (let n = 0; n < 3; n++) expect(live("charge:before").signal).toBe("SIGKILL")
        expect(JSON.parse(live("").stdout)).toEqual({
          status: "failed",
          problem: expect.stringContaining("crash"),
          steps: ["activity/reserve/1"]
        })
        expect(readFileSync(files[1] ?? "", "utf8")).toMatch(/^reserve \w+\n$/)
      }),
    600_000
  )
})
