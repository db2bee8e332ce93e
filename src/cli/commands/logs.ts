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

const follow = Parameter.flag("follow", { alias: "f", description: "Keep printing new output until the job ends." })

export const logs = CommandTree.command(
  {
    description:
      "Print the output of agents and gates. A pipe gets it byte for byte; on a terminal, control sequences are removed.",
    example: "charlotte logs latest --unit parser --task 2 --gate",
    parameters: { job, unit, task, agent, gate, follow, json }
  },
  async () => (await import("../logs/printLogs.js")).printLogs
)
