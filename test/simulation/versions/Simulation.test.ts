/** Two versions of a kind in a cluster, and how they were broken on purpose. */
import { describe, expect, it } from "@effect/vitest"
import { isLong } from "../../support/long.js"
import * as Bundle from "../Bundle.js"
import { eachIsFound } from "../eachIsFound.js"
import { findsNothing } from "../findsNothing.js"
import { variants } from "./variants.js"

const seeds = isLong ? 1_000 : 6

describe("the simulation of two versions", () => {
  it("does the same again for the same seed", { timeout: 300_000 }, async () => {
    const [once, again] = await Bundle.withBundle([], async (bundle) => {
      const run = () => Bundle.run(bundle, { of: "versions", from: 1, seeds: 3, processes: 1 })
      return [await run(), await run()]
    })
    expect(once.digest).toBe(again.digest)
    expect(once.digest).not.toBe("0")
  })

  findsNothing({ of: "versions", seeds, perSeed: { crashes: 1 / 2, jobs: 10 } })
})

eachIsFound("the simulation of two versions", variants, { of: "versions", seeds: 500 })
