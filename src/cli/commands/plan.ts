/**
 * `charlotte plan`: validates a task directory and shows what a job would do.
 */
import * as CommandTree from "../parser/CommandTree.js"
import { agent, json, repo, tasksDir } from "./parameters.js"

export const plan = CommandTree.command(
  {
    description:
      "Validate a task directory and show its plan. The plan has the units, their tasks and the order. Changes nothing.",
    example: "charlotte plan tasks",
    parameters: { tasksDir, repo, agent, json }
  },
  async () => (await import("../show/showPlan.js")).showPlan
)
