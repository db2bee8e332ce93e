/** The simulation is worth something: it finds what was broken on purpose, and soon. */
import { describe, expect, it } from "@effect/vitest"
import * as Bundle from "./Bundle.js"
import { eachIsFound } from "./eachIsFound.js"
import { variants } from "./variants.js"

describe("the simulation finds within 500 seeds that", () => {
  eachIsFound(variants, { of: "one", seeds: 500 })
})

describe("a variant is refused if", () => {
  it("a patch no longer fits", async () => {
    const patch = { file: "src/store/port/ChangeNotifier.ts", from: "this is not there", to: "" }
    await expect(Bundle.withBundle([patch], () => Promise.resolve())).rejects.toThrow("0 times what is to be replaced")
  })

  it("a patch is of a file that is no part of it", async () => {
    const patch = { file: "src/nowhere.ts", from: "", to: "" }
    await expect(Bundle.withBundle([patch], () => Promise.resolve())).rejects.toThrow("no part of the program")
  })
})
