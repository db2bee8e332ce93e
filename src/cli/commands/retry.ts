/**
 * `charlotte retry`: starts new jobs that retry others.
 */
import * as CommandTree from "../parser/CommandTree.js"
import * as Parameter from "../parser/Parameter.js"
import { conflicts, jobs, json, labels, retryTarget, search, units } from "./parameters.js"

const unit = units(
  "Work only on this unit and on those that depend on it; may be repeated. Others stay as they are, and unfinished ones do not keep it from landing."
)

const fresh = Parameter.flag("fresh", {
  description:
    "Begin units that were not merged, or those of --unit, from the start. What they have done stays until it is pruned."
})

const again = Parameter.flag("again", { description: "Retry completed jobs, too, except jobs of kind tasks." })

const kind = Parameter.textOption("kind", {
  placeholder: "KIND",
  description: "With filters: jobs of this kind (default: tasks)."
})

const status = Parameter.choiceOption(
  "status",
  "STATUS",
  ["failed", "cancelled"],
  "Instead of naming jobs: all failed, or all cancelled ones that were not retried yet."
)

const searched = search("The same for those that have all words of the text.")

export const retry = CommandTree.command(
  {
    description:
      "Retry failed or cancelled jobs. Each retry is a new job; one of tasks starts from what the old one has completed. A single retry is followed to its end, several are queued.",
    example: "charlotte retry latest",
    parameters: {
      jobs,
      kind,
      status,
      labels,
      search: searched,
      unit,
      target: retryTarget,
      fresh,
      conflicts,
      again,
      json
    }
  },
  async () => (await import("../run/retryJob.js")).retryJob
)
