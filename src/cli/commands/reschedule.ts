/**
 * `charlotte reschedule`: changes when a waiting job begins.
 */
import * as CommandTree from "../parser/CommandTree.js"
import * as Parameter from "../parser/Parameter.js"
import { job, json } from "./parameters.js"
import { at, priority } from "./waitingOptions.js"

const now = Parameter.flag("now", { description: "Start as soon as a permit is free." })

export const reschedule = CommandTree.command(
  {
    description:
      "Change when a waiting job starts. The priority is that of a pending, parked or interrupted job, the time that of a pending one; it still waits for a permit.",
    example: "charlotte reschedule latest --priority 5 --now",
    parameters: { job, priority: priority("as before"), at, now, json }
  },
  async () => (await import("../act/rescheduleJob.js")).rescheduleJob
)
