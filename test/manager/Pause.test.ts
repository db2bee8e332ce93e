/** A kind that is paused, on one machine. */
import { Layer } from "effect"
import { pausing, Work } from "./pausing.js"
import { stores } from "./stores.js"

for (const [name, store] of Object.entries(stores)) {
  pausing(name, ({ capacity: _, ...options }) => Layer.orDie(Work.layer(options)), store)
}
