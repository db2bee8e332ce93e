/**
 * Why there is no agent to work with.
 *
 * @since 0.1.0
 */
import { Schema } from "effect"
import { suggestion } from "../../yaml/didYouMean.js"

/** @since 0.1.0 */
export class NoSuchAgent extends Schema.TaggedError<NoSuchAgent>()("NoSuchAgent", {
  /**
   * - `notChosen`: nobody said which
   * - `unknown`: no profile has that name
   * - `missing`: its command is not on this machine
   */
  reason: Schema.Literal("notChosen", "unknown", "missing"),
  /** The name that was asked for. */
  agent: Schema.optional(Schema.String),
  /** The command that was looked for. */
  command: Schema.optional(Schema.String),
  /** All that have a profile. */
  names: Schema.Array(Schema.String),
  /** Those whose command is on this machine. */
  found: Schema.Array(Schema.String),
  /** The file in which agents are configured. */
  file: Schema.String
}) {
  override get message() {
    const { agent = "", command = "", file, found, names, reason } = this
    const choice = found.join(", ")
    switch (reason) {
      case "notChosen":
        return `no agent is chosen; choose one with --agent or with agent: in charlotte.yaml: ${choice}`
      case "unknown": {
        const hint = suggestion(agent, names)
        const all = hint.endsWith("?") ? ` There are ${names.join(", ")}` : ""
        return `there is no agent "${agent}"${hint}${all}; more can be described in ${file}`
      }
      case "missing": {
        const where = command.includes("/") ? "is not there, or cannot be executed" : "is not on the PATH"
        return (
          `agent "${agent}" needs the command ${command}, which ${where}; install it, ` +
          `or say in ${file} what to run (agents: ${agent}: command); found on this machine: ${choice}`
        )
      }
    }
  }
}
