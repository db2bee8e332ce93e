import { expect, it } from "@effect/vitest"
import * as Bundle from "./Bundle.js"
import * as Figures from "./Figures.js"

interface Options {
  readonly of: Figures.Subject
  readonly seeds: number
  /** In each seed there are more crashes and jobs than this on average. */
  readonly perSeed: { readonly crashes: number; readonly jobs: number }
}

/** A test that many seeds find nothing. */
export const findsNothing = ({ of, perSeed: { crashes, jobs }, seeds }: Options): void =>
  it(`finds nothing in ${seeds} seeds`, { timeout: 300_000 + seeds * 6_000 }, async () => {
    const figures = await Bundle.withBundle([], (bundle) => Bundle.run(bundle, { of, from: 1, seeds, processes: 2 }))
    process.stdout.write(`${Figures.line(figures)}\n`)
    const failed = figures.failures.slice(0, 3).map((failure) => Figures.describe(failure, of))
    expect(failed.join("\n\n")).toBe("")
    expect(figures.seeds).toBe(seeds)
    expect(figures.crashes).toBeGreaterThan(crashes * seeds)
    expect(figures.jobs).toBeGreaterThan(jobs * seeds)
  })
