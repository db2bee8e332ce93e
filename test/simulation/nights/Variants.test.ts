/** The nights are worth something: they find what was broken on purpose. */
import { eachIsFound } from "../eachIsFound.js"
import { variants } from "./variants.js"

eachIsFound("the simulation of nights", variants, { of: "nights", seeds: 100 })
