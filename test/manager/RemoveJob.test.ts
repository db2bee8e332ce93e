/** Jobs that are removed by hand. */
import { RunStore } from "charlotte"
import { Layer } from "effect"
import { Email, removing } from "./removing.js"

removing("by a manager", (options) => Layer.orDie(Email.layer(options)), RunStore.layerMemory)
