/**
 * `charlotte daemon stop`: shuts the daemon down; its jobs resume with the next one.
 */
import * as CommandTree from "../../parser/CommandTree.js"
import { json } from "../parameters.js"

export const stop = CommandTree.command(
  {
    description:
      "Shut down the daemon and wait until it has exited, within seconds. Its jobs are interrupted and resume when a daemon starts again.",
    example: "charlotte daemon stop",
    isLocal: true,
    parameters: { json }
  },
  async () => (await import("../../daemon/stop.js")).stop
)
