/**
 * `charlotte task`: the files of tasks.
 */
import { Either } from "effect"
import * as CommandTree from "../parser/CommandTree.js"
import * as Parameter from "../parser/Parameter.js"
import { json, repo } from "./parameters.js"

const unit = Parameter.argument("unit", {
  description: "The unit that gets the task; it is made if there is none of this name.",
  source: "units",
  decode: Either.right
})

const title = Parameter.argument("title", { description: "The title of the task.", decode: Either.right })

const gate = Parameter.textOption("gate", {
  placeholder: "COMMAND",
  description: "The command that must pass when the task is done (default: the one that tests the project)."
})

/** For commands whose arguments are other names. */
export const tasks = Parameter.textOption("tasks", {
  placeholder: "DIR",
  description: "The task directory (default: tasks, at the top of the repository).",
  source: "directories"
})

const create = CommandTree.command(
  {
    description:
      "Write the file of a new task. It gets the next free number of its unit and a name from its title; prints its path. What the agent has to do is for you to write below the title. Overwrites nothing.",
    example: 'charlotte task new parser "Report the line of an error"',
    parameters: { unit, title, gate, tasks, repo, json }
  },
  async () => (await import("../init/newTask.js")).newTask
)

export const task: CommandTree.Group = {
  description: "Write the files of tasks.",
  children: { new: create },
  synonyms: { add: ["new"], create: ["new"] }
}
