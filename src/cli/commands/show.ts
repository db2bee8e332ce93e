/**
 * `charlotte show`: shows the details of a job.
 */
import * as CommandTree from "../parser/CommandTree.js"
import * as Parameter from "../parser/Parameter.js"
import { job, json } from "./parameters.js"

const step = Parameter.textOption("step", {
  placeholder: "NAME",
  description: "Print the value of this step of a job of your own kind."
})

export const show = CommandTree.command(
  {
    description: "Show the units, tasks and result of a job. Also suggests the next step.",
    example: "charlotte show latest",
    parameters: { job, step, json }
  },
  async () => (await import("../show/showJob.js")).showJob
)
