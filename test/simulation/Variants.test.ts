/** The simulation is worth something: it finds what was broken on purpose, and soon. */
import { describe, expect, it } from "@effect/vitest"
import * as Bundle from "./Bundle.js"
import { variants } from "./variants.js"

const seeds = 500

describe("the simulation finds within 500 seeds that", () => {
  for (const [name, { from = 1, patches, tells }] of Object.entries(variants)) {
    it(`${name}`, { timeout: 300_000 }, async () => {
      const { failures } = await Bundle.withBundle(patches, (bundle) =>
        Bundle.run(bundle, { from, seeds, processes: 2, until: tells })
      )
      // What is broken may show in other ways as well.
      expect(failures.map(({ violations }) => violations.join("\n")).join("\n")).toMatch(tells)
    })
  }

  it("a patch no longer fits", async () => {
    const patch = { file: "src/store/ChangeNotifier.ts", from: "this is not there", to: "" }
    await expect(Bundle.withBundle([patch], () => Promise.resolve())).rejects.toThrow("0 times what is to be replaced")
  })

  it("a patch is of a file that is no part of it", async () => {
    const patch = { file: "src/nowhere.ts", from: "", to: "" }
    await expect(Bundle.withBundle([patch], () => Promise.resolve())).rejects.toThrow("no part of the simulation")
  })
})
