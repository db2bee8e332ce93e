/**
 * `charlotte remove`: removes jobs that are over, with all that is recorded of them.
 */
import * as CommandTree from "../parser/CommandTree.js"
import * as Parameter from "../parser/Parameter.js"
import { jobs, json, labels, search } from "./parameters.js"

const kind = Parameter.textOption("kind", {
  placeholder: "KIND",
  description: "With filters: jobs of this kind (default: tasks)."
})

const status = Parameter.choiceOption(
  "status",
  "STATUS",
  ["completed", "failed", "cancelled"],
  "Instead of naming jobs: all that have ended so, and that no other job retries."
)

const searched = search("The same for those that have all words of the text.")

const stop = Parameter.flag("stop", { description: "Stop a job first if it is not over." })

const pinned = Parameter.flag("pinned", { description: "Also remove pinned jobs." })

const yes = Parameter.flag("yes", { description: "Remove without asking for confirmation." })

export const remove = CommandTree.command(
  {
    description:
      "Remove jobs that are over, for good. Each goes with the jobs that it retries and that retry it, and with all that they have left: events, steps, logs, words in the search, worktrees and branches. Work that exists nowhere else is kept.",
    example: "charlotte remove --status failed --label team=web",
    parameters: { jobs, kind, status, labels, search: searched, stop, pinned, yes, json }
  },
  async () => (await import("../act/removeJobs.js")).removeJobs
)
