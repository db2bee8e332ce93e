/**
 * `charlotte daemon status`: what holds the home, where it listens, and whether it is ready.
 */
import * as CommandTree from "../../parser/CommandTree.js"
import { json } from "../parameters.js"

export const status = CommandTree.command(
  {
    description:
      "Show whether the daemon is running and ready. A foreground charlotte run counts as one. Exits with 0 if it is ready, 69 if nothing is running, 75 if it does not respond, and 1 otherwise.",
    example: "charlotte daemon status",
    isLocal: true,
    parameters: { json }
  },
  async () => (await import("../../daemon/status.js")).status
)
