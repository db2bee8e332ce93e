/**
 * `charlotte daemon start`: starts the daemon in the background, or runs it in the foreground.
 */
import * as CommandTree from "../../parser/CommandTree.js"
import * as Parameter from "../../parser/Parameter.js"
import { json } from "../parameters.js"
import { database, node, port } from "./parameters.js"

const foreground = Parameter.flag("foreground", {
  description: "Stay in the foreground, for a supervisor such as systemd."
})

const again = Parameter.flag("again", {
  description: "Continue the jobs of this home although its records were exported, and the jobs may run elsewhere."
})

export const start = CommandTree.command(
  {
    description:
      "Start the daemon and wait until it accepts jobs. It resumes interrupted jobs. Does nothing if a daemon is already running.",
    example: "charlotte daemon start",
    isLocal: true,
    parameters: { foreground, again, ...port, database, ...node, json }
  },
  async () => (await import("../../daemon/start.js")).start
)
