/** What is broken on purpose in a cluster, and soon found. */
import { eachIsFound } from "../eachIsFound.js"
import { variants } from "./variants.js"

eachIsFound("the simulation of a cluster", variants, { of: "cluster", seeds: 300 })
