/** What is broken on purpose in a cluster, and soon found. */
import { describe, expect, it } from "@effect/vitest"
import { isLong } from "../../support/long.js"
import * as Bundle from "../Bundle.js"
import { variants } from "./variants.js"

const seeds = 300

describe("the simulation of a cluster finds within 300 seeds that", () => {
  for (const [name, { isRare = false, patches, tells }] of Object.entries(variants)) {
    if (isRare && !isLong) continue
    it(`${name}`, { timeout: 300_000 }, async () => {
      const { failures } = await Bundle.withBundle(patches, (bundle) =>
        Bundle.run(bundle, { of: "cluster", from: 1, seeds, processes: 2, until: tells })
      )
      // What is broken may show in other ways as well.
      expect(failures.map(({ violations }) => violations.join("\n")).join("\n")).toMatch(tells)
    })
  }
})
