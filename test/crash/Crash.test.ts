import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Harness from "./Harness.js"

const kills = Number(process.env["CRASH_KILLS"] ?? 200)
const seed = process.env["CRASH_SEED"] ?? "charlotte"
const worlds = Number(process.env["CRASH_WORLDS"] ?? 3)

const write = (text: string) => void process.stdout.write(`${text}\n`)

/** Of a long run. */
const progress = process.env["CRASH_PROGRESS"] === undefined ? {} : { onWorld: (line: string) => write(line) }

describe("daemon killed at any point", () => {
  it.scopedLive(
    "loses no acknowledged write, repeats no work, and its jobs complete after a restart",
    () =>
      Effect.gen(function* () {
        const figures = yield* Harness.run({ kills, seed, worlds, ...progress })
        write(Harness.line(figures, seed))
        expect(figures.violations).toEqual([])
        if (kills < Harness.enough) return
        expect(figures.lacking).toEqual([])
        expect(figures.live).toBeGreaterThanOrEqual(figures.kills * 0.8)
      }),
    300_000 + kills * 6_000
  )
})
