/**
 * `charlotte stop`: stops jobs, and waits until they have ended.
 */
import * as CommandTree from "../parser/CommandTree.js"
import * as Parameter from "../parser/Parameter.js"
import { json, optionalJob, span } from "./parameters.js"

const all = Parameter.flag("all", { description: "Stop all jobs, including those that wait." })

const grace = span("grace", "How long a job may take to end by itself, such as 5s or 2min (default: as configured).")

export const stop = CommandTree.command(
  {
    description: "Stop a job and wait until it has ended.",
    example: "charlotte stop latest --grace 30s",
    parameters: { job: optionalJob, all, grace, json }
  },
  async () => (await import("../act/reportStop.js")).reportStop
)
