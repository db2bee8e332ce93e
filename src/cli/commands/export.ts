/**
 * `charlotte export`: prints the complete record of a job.
 */
import * as CommandTree from "../parser/CommandTree.js"
import { job, json } from "./parameters.js"

export const exported = CommandTree.command(
  {
    description:
      "Print the record of a job as JSON. It contains the run, events, units, tasks and signals, but no logs. A job that is not over is exported as it stands, with complete: false.",
    example: "charlotte export latest > job.json",
    parameters: { job, json }
  },
  async () => (await import("../show/exportJob.js")).exportJob
)
