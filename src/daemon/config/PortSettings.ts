/**
 * The settings of a daemon's port. A separate file, so that reading the note of a home loads nothing else.
 */
import { Schema } from "effect"

/** Paths are absolute. */
export const Settings = Schema.Struct({
  tlsCert: Schema.optional(Schema.String),
  tlsKey: Schema.optional(Schema.String),
  /** The file with the token of all nodes. */
  tokenFile: Schema.optional(Schema.String),
  /** Accepts that others on the network can read the token and all data. */
  insecureHttp: Schema.optional(Schema.Boolean)
})
export type Settings = typeof Settings.Type
