/**
 * `charlotte schedules`: the schedules of applications, and of tasks in `config.yaml`.
 */
import { Either } from "effect"
import * as CommandTree from "../parser/CommandTree.js"
import * as Parameter from "../parser/Parameter.js"
import { json } from "./parameters.js"

const schedule = Parameter.argument("schedule", {
  description: "The name of the schedule, as shown by charlotte schedules list; KIND/NAME if several kinds have it.",
  decode: Either.right
})

const list = CommandTree.command(
  {
    description: "Show the schedules. Shows the next tick of each, its last job, and ticks that were skipped.",
    example: "charlotte schedules list",
    parameters: { json }
  },
  async () => (await import("../schedules/listSchedules.js")).listSchedules
)

const run = CommandTree.command(
  {
    description: "Start a job of a schedule now. Its ticks stay as they are.",
    example: "charlotte schedules run nightly",
    parameters: { schedule, json }
  },
  async () => (await import("../schedules/changeSchedule.js")).runSchedule
)

const pause = CommandTree.command(
  {
    description: "Pause a schedule. It starts no job until it is unpaused, on any node and over restarts.",
    example: "charlotte schedules pause nightly",
    parameters: { schedule, json }
  },
  async () => (await import("../schedules/changeSchedule.js")).pauseSchedule
)

const unpause = CommandTree.command(
  {
    description: "Unpause a schedule. It starts jobs again from its next tick on.",
    example: "charlotte schedules unpause nightly",
    parameters: { schedule, json }
  },
  async () => (await import("../schedules/changeSchedule.js")).unpauseSchedule
)

const remove = CommandTree.command(
  {
    description: "Remove a schedule that no process runs any more. Its jobs stay.",
    example: "charlotte schedules remove nightly",
    parameters: { schedule, json }
  },
  async () => (await import("../schedules/changeSchedule.js")).removeSchedule
)

export const schedules: CommandTree.Group = {
  description: "Manage the schedules that start jobs.",
  children: { list, run, pause, unpause, remove },
  synonyms: { ls: ["list"], show: ["list"], start: ["run"], resume: ["unpause"], rm: ["remove"], delete: ["remove"] }
}
