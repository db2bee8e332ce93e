/** Agents, their limits, their questions and what they cost, through 200 nights. */
import { expect, it } from "@effect/vitest"
import { isLong } from "../../support/long.js"
import * as Bundle from "../Bundle.js"
import * as Figures from "../Figures.js"

const nights = isLong ? 2_000 : 200

it(
  `${nights} nights use no attempt but for a verdict, lose no file, apply each answer once and begin no turn above a limit of money`,
  {
    timeout: 300_000 + nights * 6_000
  },
  async () => {
    const figures = await Bundle.withBundle([], (bundle) =>
      Bundle.run(bundle, { of: "nights", from: 1, seeds: nights, processes: 2 })
    )
    process.stdout.write(`${Figures.line(figures)}\n`)
    const failed = figures.failures
      .slice(0, 3)
      .map((failure) => Figures.describe(failure, "nights"))
      .join("\n\n")
    expect(failed, failed).toBe("")
    expect(figures.seeds).toBe(nights)
    // Enough of all that it is about.
    const { answers, limits, parks, probes, raises, turns } = figures.night
    expect(turns).toBeGreaterThan(10 * nights)
    for (const count of [answers, limits, parks, probes, raises, figures.crashes, figures.merges])
      expect(count).toBeGreaterThan(nights / 2)
  }
)
