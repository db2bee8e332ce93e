/**
 * `charlotte retry`: starts a new job from the completed work of another.
 */
import * as CommandTree from "../parser/CommandTree.js"
import * as Parameter from "../parser/Parameter.js"
import { job, json, retryTarget, units } from "./parameters.js"

const unit = units(
  "Work only on this unit and on those that depend on it; may be repeated. Others stay as they are, and unfinished ones do not keep it from landing."
)

const fresh = Parameter.flag("fresh", {
  description:
    "Begin units that were not merged, or those of --unit, from the start. What they have done stays until it is pruned."
})

export const retry = CommandTree.command(
  {
    description:
      "Retry a failed or cancelled job and follow it. This is a new job, which starts from what the old one has completed.",
    example: "charlotte retry latest",
    parameters: { job, unit, target: retryTarget, fresh, json }
  },
  async () => (await import("../run/retryJob.js")).retryJob
)
