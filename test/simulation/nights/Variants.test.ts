/** The nights are worth something: they find what was broken on purpose. */
import { describe } from "@effect/vitest"
import { eachIsFound } from "../eachIsFound.js"
import { variants } from "./variants.js"

describe("the nights find within 100 seeds that", () => {
  eachIsFound(variants, { of: "nights", seeds: 100 })
})
