/**
 * `charlotte cluster limit`: sets how many jobs a cluster runs at once.
 */
import { Either } from "effect"
import * as CommandTree from "../../parser/CommandTree.js"
import * as Parameter from "../../parser/Parameter.js"
import { json } from "../parameters.js"

const maxJobs = Parameter.argument("limit", {
  description: "A whole number, 1 or more.",
  decode: (text) =>
    /^[1-9]\d{0,5}$/.test(text)
      ? Either.right(Number(text))
      : Either.left({ problem: `invalid limit "${text}": expected a whole number, 1 or more` })
})

export const limit = CommandTree.command(
  {
    description:
      "Limit how many jobs the cluster runs at once. The limit applies at once, to all nodes together; running jobs continue. It starts as the maxJobs of the node that joined first.",
    example: "charlotte cluster limit 40",
    isLocal: true,
    parameters: { maxJobs, json }
  },
  async () => (await import("../../cluster/limit.js")).limit
)
