/** The groups of a kind, and how they were broken on purpose. */
import { describe } from "@effect/vitest"
import { isLong } from "../../support/long.js"
import { eachIsFound } from "../eachIsFound.js"
import { findsNothing } from "../findsNothing.js"
import { variants } from "./variants.js"

const seeds = isLong ? 1_000 : 30

describe("the simulation of groups", () => {
  findsNothing({ of: "groups", seeds, perSeed: { crashes: 1 / 2, jobs: 10 } })
})

eachIsFound("the simulation of groups", variants, { of: "groups", seeds: 500 })
