/** The simulation is worth something: it finds what was broken on purpose, and soon. */
import { describe, expect, it } from "@effect/vitest"
import { Array } from "effect"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { variants as children } from "./children/variants.js"
import { variants as cluster } from "./cluster/variants.js"
import { variants as groups } from "./groups/variants.js"
import { variants as nights } from "./nights/variants.js"
import { variants as schedules } from "./schedules/variants.js"
import { variants as versions } from "./versions/variants.js"
import * as Bundle from "./Bundle.js"
import { eachIsFound } from "./eachIsFound.js"
import { variants } from "./variants.js"

eachIsFound("the simulation", variants, { of: "one", seeds: 500 })

/** Those that this change does not try have to stay in step with the product all the same. */
it("every patch of every variant fits the source", () => {
  const all = [variants, children, cluster, groups, nights, schedules, versions].flatMap((some) => Object.values(some))
  for (const { patches } of all)
    for (const [file, ours] of Object.entries(Array.groupBy(patches, ({ file }) => file)))
      ours.reduce(Bundle.apply, readFileSync(join(Bundle.root, file), "utf8"))
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
