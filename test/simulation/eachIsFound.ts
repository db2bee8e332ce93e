import { expect, it } from "@effect/vitest"
import { isLong } from "../support/long.js"
import * as Bundle from "./Bundle.js"
import type * as Figures from "./Figures.js"
import type { Variant } from "./variants.js"

/** A test of each variant: it is found within so many seeds, from its first one on; in the long form, from the first of all. */
export const eachIsFound = (
  variants: Readonly<Record<string, Variant>>,
  { of, seeds }: { readonly of: Figures.Subject; readonly seeds: number }
): void => {
  for (const [name, { from = 1, isRare = false, patches, tells }] of Object.entries(variants)) {
    if (isRare && !isLong) continue
    it(`${name}`, { timeout: 600_000 }, async () => {
      // One process: each of several would search until it has found it itself.
      const range = { from: isLong ? 1 : from, seeds: isLong ? from - 1 + seeds : seeds, processes: 1 }
      const { failures } = await Bundle.withBundle(patches, (bundle) =>
        Bundle.run(bundle, { of, ...range, until: tells })
      )
      // What is broken may show in other ways as well.
      expect(failures.map(({ violations }) => violations.join("\n")).join("\n")).toMatch(tells)
    })
  }
}
