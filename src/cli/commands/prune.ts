/**
 * `charlotte prune`: removes worktrees and branches that ended jobs left, and jobs that retention no longer keeps.
 */
import * as CommandTree from "../parser/CommandTree.js"
import * as Parameter from "../parser/Parameter.js"
import { age, dryRun, jobs, json, repo } from "./parameters.js"

const all = Parameter.flag("all", {
  description: "Include all jobs, in every repository they have worked in (or in that of --repo)."
})

const discard = Parameter.flag("discard", {
  description: "Also remove work that exists nowhere else; it is lost."
})

const olderThan = age("older-than", "Only jobs that ended at least this long ago, such as 12h, 7d or 2w.")

const yes = Parameter.flag("yes", { description: "Remove without asking for confirmation." })

export const prune = CommandTree.command(
  {
    description:
      "Remove what finished jobs have left. Removes their worktrees and branches in this repository, the snapshots of their unfinished work, and the records that the configured retention no longer keeps. Work that exists nowhere else is kept.",
    example: "charlotte prune --older-than 7d --dry-run",
    isLocal: true,
    parameters: { jobs, repo, all, olderThan, discard, dryRun, yes, json }
  },
  async () => (await import("../prune/pruneJobs.js")).pruneJobs
)
