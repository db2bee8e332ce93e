import { expect, it } from "@effect/vitest"
import { isLong } from "../support/long.js"
import * as Bundle from "./Bundle.js"
import type * as Figures from "./Figures.js"
import type { Variant } from "./variants.js"

/** A test of each variant: it is found within so many seeds. */
export const eachIsFound = (
  variants: Readonly<Record<string, Variant>>,
  { of, seeds }: { readonly of: Figures.Subject; readonly seeds: number }
): void => {
  for (const [name, { isRare = false, patches, symptom }] of Object.entries(variants)) {
    if (isRare && !isLong) continue
    it(`${name}`, { timeout: isRare ? 3_600_000 : 600_000 }, async () => {
      // One process: each of several would search until it has found it itself.
      const range = { from: 1, seeds: isRare ? 4 * seeds : seeds, processes: 1 }
      const { failures } = await Bundle.withBundle(patches, (bundle) =>
        Bundle.run(bundle, { of, ...range, until: symptom })
      )
      // What is broken may show in other ways as well.
      expect(failures.map(({ violations }) => violations.join("\n")).join("\n")).toMatch(symptom)
    })
  }
}
