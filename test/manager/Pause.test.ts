/** A kind that is paused, on one machine. */
import { RunStore } from "charlotte"
import { Layer } from "effect"
import { pausing, Work } from "./pausing.js"

pausing("on one machine", ({ capacity: _, ...options }) => Layer.orDie(Work.layer(options)), RunStore.layerMemory)
