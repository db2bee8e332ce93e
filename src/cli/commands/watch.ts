/**
 * `charlotte watch`: follows a job to its end, or the events of all jobs.
 */
import * as CommandTree from "../parser/CommandTree.js"
import { json, optionalJob } from "./parameters.js"

export const watch = CommandTree.command(
  {
    description:
      "Follow a job until it ends. The exit code mirrors the job. Without a job, follow the events of all jobs. Ctrl-C ends the watching, not the job.",
    example: "charlotte watch latest",
    parameters: { job: optionalJob, json }
  },
  async () => (await import("../run/watch.js")).watch
)
