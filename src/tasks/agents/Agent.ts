/**
 * What works on a task.
 */
import { Data } from "effect"
import type { Profile } from "./Profile.js"

export type Agent = Data.TaggedEnum<{
  /** The `sh` blocks of the task itself, with the variables that gates get. */
  Script: { readonly env: ReadonlyArray<string> }
  /** A command from configuration. */
  Command: { readonly profile: Profile }
}>

export const { $is, $match, Command, Script } = Data.taggedEnum<Agent>()
