/** Runs that are retried by hand, on PostgreSQL. */
import { Layer } from "effect"
import { Email, Later, retrying } from "../manager/retrying.js"
import { layer } from "./store.js"

retrying(
  "on PostgreSQL",
  {
    email: (options) => Layer.orDie(Email.layer(options)),
    later: (options) => Layer.orDie(Later.layer(options))
  },
  layer
)
