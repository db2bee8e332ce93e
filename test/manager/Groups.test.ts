/** The groups of a kind, on one machine. */
import { RunStore } from "charlotte"
import { Layer } from "effect"
import { grouping, Work } from "./grouping.js"

grouping("on one machine", (options) => Layer.orDie(Work.layer(options)), RunStore.layerMemory)
