/**
 * `charlotte init`: the settings and a first task.
 */
import { Either } from "effect"
import * as CommandTree from "../parser/CommandTree.js"
import * as Parameter from "../parser/Parameter.js"
import { json, repo } from "./parameters.js"

const tasks = Parameter.optionalArgument("tasksDir", {
  description: "The new task directory (default: tasks, at the top of the repository).",
  source: "directories",
  decode: Either.right
})

const tries = Parameter.flag("try", {
  description:
    "Also run the setup and the tests, in a fresh checkout of the last commit, as a job would. Exits with 1 if one fails."
})

export const init = CommandTree.command(
  {
    description:
      "Write charlotte.yaml and a first task. The names of files and the scripts of package.json show how the project is set up and tested. Runs nothing without --try, overwrites nothing and commits nothing; prints the commands that do the first task.",
    example: "charlotte init",
    parameters: { tasks, repo, tries, json }
  },
  async () => (await import("../init/initTasks.js")).initTasks
)
