/**
 * The agent that runs a task.
 */
import { Data } from "effect"
import type { Profile } from "./Profile.js"

export type Agent = Data.TaggedEnum<{
  /** Runs the `sh` blocks of the task itself, with the environment variables of gates. */
  Script: { readonly env: ReadonlyArray<string> }
  /** Runs a configured command. */
  Command: { readonly profile: Profile }
}>

export const { $is, $match, Command, Script } = Data.taggedEnum<Agent>()
