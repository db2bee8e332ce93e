/** Jobs that wait for their children, and how they were broken on purpose. */
import { describe, expect, it } from "@effect/vitest"
import { isLong } from "../../support/long.js"
import * as Bundle from "../Bundle.js"
import { eachIsFound } from "../eachIsFound.js"
import * as Figures from "../Figures.js"
import { variants } from "./variants.js"

const seeds = isLong ? 1_000 : 15

describe("the simulation of children", () => {
  it(`finds nothing in ${seeds} seeds`, { timeout: 300_000 + seeds * 6_000 }, async () => {
    const figures = await Bundle.withBundle([], (bundle) =>
      Bundle.run(bundle, { of: "children", from: 1, seeds, processes: 2 })
    )
    process.stdout.write(`${Figures.line(figures)}\n`)
    const failed = figures.failures.slice(0, 3).map((failure) => Figures.describe(failure, "children"))
    expect(failed.join("\n\n")).toBe("")
    expect(figures.seeds).toBe(seeds)
    expect(figures.crashes).toBeGreaterThan(seeds / 2)
    expect(figures.jobs).toBeGreaterThan(10 * seeds)
  })
})

describe("the simulation of children finds within 500 seeds that", () => {
  eachIsFound(variants, { of: "children", seeds: 500 })
})
