/**
 * The requested agent is not available.
 *
 * @since 0.1.0
 */
import { Schema } from "effect"
import { suggestion } from "../../yaml/didYouMean.js"

/**
 * The requested agent is not available: none was selected, it is unknown, or its command is not installed.
 *
 * @since 0.1.0
 * @category errors
 */
export class NoSuchAgent extends Schema.TaggedError<NoSuchAgent>()("NoSuchAgent", {
  /**
   * - `notChosen`: neither the job nor the plan names an agent
   * - `unknown`: no profile has that name
   * - `missing`: its command is not installed on this machine
   */
  reason: Schema.Literal("notChosen", "unknown", "missing"),
  /** The requested name. */
  agent: Schema.optional(Schema.String),
  /** The command of the agent, for `missing`. */
  command: Schema.optional(Schema.String),
  /** All known agents. */
  names: Schema.Array(Schema.String),
  /** The agents whose command is installed on this machine. */
  found: Schema.Array(Schema.String),
  /** The file in which agents are configured. */
  file: Schema.String
}) {
  override get message() {
    const { agent = "", command = "", file, found, names, reason } = this
    const choice = found.join(", ")
    switch (reason) {
      case "notChosen":
        return `no agent is selected; select one with --agent or with agent: in charlotte.yaml: ${choice}`
      case "unknown": {
        const hint = suggestion(agent, names)
        const all = hint.endsWith("?") ? ` Known agents: ${names.join(", ")}` : ""
        return `unknown agent "${agent}"${hint}${all}; configure more in ${file}`
      }
      case "missing": {
        const where = command.includes("/") ? "does not exist or is not executable" : "is not on the PATH"
        return (
          `agent "${agent}" needs the command ${command}, which ${where}; install it, ` +
          `or configure its command in ${file} (agents: ${agent}: command); installed on this machine: ${choice}`
        )
      }
    }
  }
}
