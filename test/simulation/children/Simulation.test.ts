/** Jobs that wait for their children, and how they were broken on purpose. */
import { describe } from "@effect/vitest"
import { isLong } from "../../support/long.js"
import { eachIsFound } from "../eachIsFound.js"
import { findsNothing } from "../findsNothing.js"
import { variants } from "./variants.js"

const seeds = isLong ? 1_000 : 15

describe("the simulation of children", () => {
  findsNothing({ of: "children", seeds, perSeed: { crashes: 1 / 2, jobs: 10 } })
})

eachIsFound("the simulation of children", variants, { of: "children", seeds: 500 })
