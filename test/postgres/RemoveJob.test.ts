/** Jobs that are removed by hand, on PostgreSQL. */
import { Layer } from "effect"
import { Email, removing } from "../manager/removing.js"
import { layer } from "./store.js"

removing("on PostgreSQL", (options) => Layer.orDie(Email.layer(options)), layer)
