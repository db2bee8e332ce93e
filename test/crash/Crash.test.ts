import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { isLong } from "../support/long.js"
import * as Harness from "./Harness.js"

const kills = Number(process.env["CRASH_KILLS"] ?? (isLong ? 1_000 : 25))
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
        expect(figures.unknown, "points that test/crash/Points.ts lacks").toEqual([])
        if (kills < Harness.enough) return
        expect(figures.lacking).toEqual([])
        expect(figures.live).toBeGreaterThanOrEqual(figures.kills * 0.8)
      }),
    300_000 + kills * 6_000
  )
})
