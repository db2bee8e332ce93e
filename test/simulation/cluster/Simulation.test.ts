/** Several nodes at once, whole, under every order of events that many seeds think of. */
import { describe, expect, it } from "@effect/vitest"
import { isLong } from "../../support/long.js"
import * as Bundle from "../Bundle.js"
import * as Figures from "../Figures.js"

const seeds = isLong ? 1_000 : 30

describe("the simulation of a cluster", () => {
  it("does the same again for the same seed, whatever was done before", { timeout: 300_000 }, async () => {
    const [together, apart] = await Bundle.withBundle([], (bundle) => {
      const run = (processes: number) => Bundle.run(bundle, { of: "cluster", from: 1, seeds: 4, processes })
      return Promise.all([run(1), run(2)])
    })
    expect(together.digest).toBe(apart.digest)
    expect(together.digest).not.toBe("0")
  })

  it(`finds nothing in ${seeds} seeds`, { timeout: 300_000 + seeds * 6_000 }, async () => {
    const figures = await Bundle.withBundle([], (bundle) =>
      Bundle.run(bundle, { of: "cluster", from: 1, seeds, processes: 2 })
    )
    process.stdout.write(`${Figures.line(figures)}\n`)
    const failed = figures.failures
      .slice(0, 3)
      .map((failure) => Figures.describe(failure, "cluster"))
      .join("\n\n")
    expect(failed, failed).toBe("")
    expect(figures.seeds).toBe(seeds)
    // Enough of all that it is about.
    expect(figures.crashes).toBeGreaterThan(seeds / 2)
    expect(figures.jobs).toBeGreaterThan(3 * seeds)
  })
})
