/**
 * `charlotte retry`: starts a new job from the completed work of another.
 */
import * as CommandTree from "../parser/CommandTree.js"
import * as Parameter from "../parser/Parameter.js"
import { job, json, retryTarget } from "./parameters.js"

const fresh = Parameter.flag("fresh", {
  description: "Begin units that were not merged from the start. What they have done stays until it is pruned."
})

export const retry = CommandTree.command(
  {
    description:
      "Retry a failed or cancelled job and follow it. This is a new job, which starts from what the old one has completed.",
    example: "charlotte retry latest",
    parameters: { job, target: retryTarget, fresh, json }
  },
  async () => (await import("../run/retryJob.js")).retryJob
)
