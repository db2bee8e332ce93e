/** A kind that is paused, on PostgreSQL. */
import { Layer } from "effect"
import { pausing, Work } from "../manager/pausing.js"
import { layer } from "./store.js"

pausing("on PostgreSQL", ({ capacity: _, ...options }) => Layer.orDie(Work.layer(options)), layer)
