/**
 * The agent that runs a task.
 */
import { Data } from "effect"
import type { Profile } from "./Profile.js"

/**
 * How tasks are run: by their own `sh` blocks, or by a configured command.
 *
 * @since 0.1.0
 * @category models
 */
export type Agent = Data.TaggedEnum<{
  /** Runs the `sh` blocks of the task itself, with the environment variables of gates. */
  Script: { readonly env: ReadonlyArray<string> }
  /** Runs a configured command. */
  Command: { readonly profile: Profile }
}>

/**
 * Constructors and matchers of `Agent`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const { $is, $match, Command, Script } = Data.taggedEnum<Agent>()
