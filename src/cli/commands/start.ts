/**
 * `charlotte start`: submits a task directory to the daemon.
 */
import * as CommandTree from "../parser/CommandTree.js"
import { json, submit } from "./parameters.js"
import { at, waiting } from "./waitingOptions.js"

export const start = CommandTree.command(
  {
    description:
      "Submit a task directory to the daemon. Prints the id of the job; if it has to wait, standard error says for what.",
    example: "charlotte start tasks --agent claude --label team=web --queue --priority 5 --at 22:00",
    parameters: { ...submit, at, ...waiting, json }
  },
  async () => (await import("../start/submitJob.js")).submitJob
)
