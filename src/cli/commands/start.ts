/**
 * `charlotte start`: submits a task directory to the daemon.
 */
import * as CommandTree from "../parser/CommandTree.js"
import { json, submit } from "./parameters.js"

export const start = CommandTree.command(
  {
    description: "Submit a task directory to the daemon and print the id of the job.",
    example: "charlotte start tasks --target main --agent claude --label team=web",
    parameters: { ...submit, json }
  },
  async () => (await import("../submitJob.js")).submitJob
)
