/**
 * `charlotte resume`: continues an interrupted or parked job.
 */
import * as CommandTree from "../parser/CommandTree.js"
import { job, json } from "./parameters.js"

export const resume = CommandTree.command(
  {
    description: "Resume an interrupted or parked job. Follows it to its end; completed tasks are not repeated.",
    example: "charlotte resume latest",
    parameters: { job, json }
  },
  async () => (await import("../run/resumeJob.js")).resumeJob
)
