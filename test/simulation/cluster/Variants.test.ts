/** What is broken on purpose in a cluster, and soon found. */
import { describe } from "@effect/vitest"
import { eachIsFound } from "../eachIsFound.js"
import { variants } from "./variants.js"

describe("the simulation of a cluster finds within 300 seeds that", () => {
  eachIsFound(variants, { of: "cluster", seeds: 300 })
})
