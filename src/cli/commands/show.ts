/**
 * `charlotte show`: shows the details of a job.
 */
import * as CommandTree from "../parser/CommandTree.js"
import { job, json } from "./parameters.js"

export const show = CommandTree.command(
  {
    description: "Show the units, tasks and result of a job. Also suggests the next step.",
    example: "charlotte show latest",
    parameters: { job, json }
  },
  async () => (await import("../show/showJob.js")).showJob
)
