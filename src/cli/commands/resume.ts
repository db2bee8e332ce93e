/**
 * `charlotte resume`: continues an interrupted job.
 */
import { Effect } from "effect"
import * as JobRef from "../JobRef.js"
import * as CommandTree from "../parser/CommandTree.js"
import * as startAndFollow from "../run/startAndFollow.js"
import { job, json } from "./parameters.js"

export const resume = CommandTree.command(
  {
    description: "Resume an interrupted job and follow it; completed tasks are not repeated.",
    example: "charlotte resume latest",
    parameters: { job, json }
  },
  ({ job, json }) =>
    startAndFollow.follow({ begin: (jobs) => Effect.tap(JobRef.find(jobs, job), (id) => jobs.resume(id)), json })
)
