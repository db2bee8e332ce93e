/**
 * `charlotte logs`: prints the output of agents and gates.
 */
import * as CommandTree from "../parser/CommandTree.js"
import * as Parameter from "../parser/Parameter.js"
import { job, json, number } from "./parameters.js"

const unit = Parameter.textOption("unit", { placeholder: "UNIT", description: "Only this unit." })

const task = number("task", "Only the task with this number.")

const agent = Parameter.flag("agent", { description: "Only the output of agents." })

const gate = Parameter.flag("gate", { description: "Only the output of gates." })

const attempt = number("attempt", "Only this attempt at tasks.")

const text = Parameter.flag("text", { description: "Print readable lines to a pipe, too." })

const raw = Parameter.flag("raw", { description: "Leave the records of agents as they are." })

const tail = number("tail", "Only the last N lines of what has been printed.")

const grep = Parameter.textOption("grep", {
  placeholder: "TEXT",
  description: "Only lines that contain this text, in any case."
})

const follow = Parameter.flag("follow", { alias: "f", description: "Keep printing new output until the job ends." })

export const logs = CommandTree.command(
  {
    description:
      "Print the output of agents and gates. A pipe gets it byte for byte. On a terminal, or with --text, --tail or --grep, these are readable lines: what an agent says, the tools it uses and what they print, instead of its records, and all of it without control sequences.",
    example: "charlotte logs latest --unit parser --task 2 --attempt 1",
    parameters: { job, unit, task, attempt, agent, gate, text, raw, tail, grep, follow, json }
  },
  async () => (await import("../logs/printLogs.js")).printLogs
)
