/** The groups of a kind, on one machine. */
import { Layer } from "effect"
import { grouping, Work } from "./grouping.js"
import { stores } from "./stores.js"

for (const [name, store] of Object.entries(stores)) {
  grouping(name, (options) => Layer.orDie(Work.layer(options)), store)
}
