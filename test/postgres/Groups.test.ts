/** The groups of a kind, on PostgreSQL. */
import { Layer } from "effect"
import { grouping, Work } from "../manager/grouping.js"
import { layer } from "./store.js"

grouping("on PostgreSQL", (options) => Layer.orDie(Work.layer(options)), layer)
