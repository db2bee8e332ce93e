/**
 * `charlotte run`: runs a job in the foreground, or through the daemon if one is running.
 */
import * as CommandTree from "../parser/CommandTree.js"
import * as Parameter from "../parser/Parameter.js"
import { json, submit } from "./parameters.js"
import { waiting } from "./waitingOptions.js"

const open = Parameter.flag("open", { description: "Open the page of the job in the browser." })

export const run = CommandTree.command(
  {
    description:
      "Run a directory of tasks in the foreground. Shows the progress. Ctrl-C interrupts the job, which can then be resumed; a second Ctrl-C kills what is still running. If a daemon is running, the job is submitted there instead, so it survives Ctrl-C and closing the terminal.",
    example: "charlotte run tasks --target main --agent claude --concurrency 2 --label team=web",
    parameters: { ...submit, ...waiting, open, json }
  },
  async () => (await import("../run/runTasks.js")).runTasks
)
