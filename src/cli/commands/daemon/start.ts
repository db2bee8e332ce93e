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

export const start = CommandTree.command(
  {
    description:
      "Start the daemon and wait until it accepts jobs. It resumes interrupted jobs. Does nothing if a daemon is already running.",
    example: "charlotte daemon start",
    isLocal: true,
    parameters: { foreground, ...port, database, ...node, json }
  },
  async () => (await import("../../daemon/start.js")).start
)
