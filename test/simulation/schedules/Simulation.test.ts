/** A schedule in several processes, and how it was broken on purpose. */
import { describe } from "@effect/vitest"
import { isLong } from "../../support/long.js"
import { eachIsFound } from "../eachIsFound.js"
import { findsNothing } from "../findsNothing.js"
import { variants } from "./variants.js"

const seeds = isLong ? 1_000 : 30

describe("the simulation of a schedule", () => {
  findsNothing({ of: "schedules", seeds, perSeed: { crashes: 1, jobs: 20 } })
})

eachIsFound("the simulation of a schedule", variants, { of: "schedules", seeds: 500 })
