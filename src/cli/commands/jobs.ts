/**
 * `charlotte jobs`: lists jobs, newest first, and pending ones in the order in which they begin.
 */
import { RunStatus } from "../../domain/RunStatus.js"
import * as CommandTree from "../parser/CommandTree.js"
import * as Parameter from "../parser/Parameter.js"
import { json, labels, number, search } from "./parameters.js"

const all = Parameter.flag("all", { description: "List the jobs of other repositories, too." })

const status = Parameter.choiceOption(
  "status",
  "STATUS",
  RunStatus.literals,
  `Only jobs with this status: ${RunStatus.literals.join(", ")}.`
)

const kind = Parameter.textOption("kind", {
  placeholder: "KIND",
  description: "Only jobs of this kind, of all repositories."
})

const searched = search(
  "Only jobs that have all words of the text, or words that begin with them, in labels, config, error or titles of tasks."
)

const retried = Parameter.choiceOption(
  "retried",
  "yes|no",
  ["yes", "no"],
  "Only jobs that another job retries; or no: only the others."
)

const limit = number("limit", "How many jobs to list at most (default: 20).")

const before = Parameter.textOption("before", {
  placeholder: "JOB",
  description: "Only jobs older than this one: the next page.",
  source: "jobs"
})

const cost = Parameter.flag("cost", {
  description: "Show what the turns of agents have cost: an estimate, at the prices of the API."
})

export const jobs = CommandTree.command(
  {
    description:
      "List jobs, newest first. Inside a repository, these are its jobs; elsewhere, all jobs. With --status pending they are numbered in the order in which they begin.",
    example: "charlotte jobs --status running --label team=web --limit 50",
    parameters: { all, kind, status, labels, search: searched, retried, limit, before, cost, json }
  },
  async () => (await import("../list/listJobs.js")).list
)
