/**
 * `charlotte pin` and `charlotte unpin`: keeps a job regardless of retention, or no longer.
 */
import * as CommandTree from "../parser/CommandTree.js"
import { job, json } from "./parameters.js"

export const pin = CommandTree.command(
  {
    description: "Keep the record and logs of a job. Retention never removes a pinned job.",
    example: "charlotte pin latest",
    parameters: { job, json }
  },
  async () => (await import("../act/pinJob.js")).pinJob
)

export const unpin = CommandTree.command(
  {
    description: "Let retention remove a pinned job again.",
    example: "charlotte unpin latest",
    parameters: { job, json }
  },
  async () => (await import("../act/pinJob.js")).unpinJob
)
