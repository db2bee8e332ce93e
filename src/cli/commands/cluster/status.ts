/**
 * `charlotte cluster status`: the nodes of a cluster, and what they run.
 */
import * as CommandTree from "../../parser/CommandTree.js"
import { json } from "../parameters.js"

export const status = CommandTree.command(
  {
    description:
      "Show the nodes of the cluster. Shows whether each is alive, dead or draining, how many jobs it runs and may run, and how many jobs the cluster may run. Exits with 69 if no node is alive.",
    example: "charlotte cluster status",
    isLocal: true,
    parameters: { json }
  },
  async () => (await import("../../cluster/status.js")).status
)
