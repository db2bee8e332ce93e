/**
 * `charlotte unpin`: applies retention to a pinned job again.
 */
import * as CommandTree from "../parser/CommandTree.js"
import { job, json } from "./parameters.js"

export const unpin = CommandTree.command(
  {
    description: "Let retention remove a pinned job again.",
    example: "charlotte unpin latest",
    parameters: { job, json }
  },
  async () => (await import("../act/pinJob.js")).unpinJob
)
