/**
 * `charlotte plan`: validates a task directory and shows what a job would do.
 */
import { Either } from "effect"
import * as CommandTree from "../parser/CommandTree.js"
import * as Parameter from "../parser/Parameter.js"
import { agent, json, repo, tasksDir } from "./parameters.js"

const prompt = Parameter.flag("prompt", {
  description:
    "Print what the agent of a task gets to read instead: charlotte plan --prompt UNIT TASK. Without a directory before the unit it is tasks, at the top of the repository."
})

const unit = Parameter.optionalArgument("unit", { description: "With --prompt: the unit.", decode: Either.right })

const task = Parameter.optionalArgument("task", {
  description: "With --prompt: the number of the task.",
  decode: Either.right
})

export const plan = CommandTree.command(
  {
    description:
      "Validate a task directory; show its plan. The plan has the units, their tasks and the order. Changes nothing.",
    example: "charlotte plan tasks",
    parameters: { tasksDir, unit, task, prompt, repo, agent, json }
  },
  async () => (await import("../show/showPlan.js")).showPlan
)
