/**
 * `charlotte doctor`: checks the environment and suggests fixes. It changes nothing and holds no lock.
 */
import * as CommandTree from "../parser/CommandTree.js"
import * as Parameter from "../parser/Parameter.js"
import { json, repo } from "./parameters.js"

const audit = Parameter.flag("audit", { description: "Also check every record in the database for consistency." })

const wrap = Parameter.flag("wrap", {
  description: "Also check what agents and gates find inside the wrap of each agent, and name what is missing."
})

export const doctor = CommandTree.command(
  {
    description: "Check the environment and suggest fixes.",
    example: "charlotte doctor",
    isLocal: true,
    parameters: { audit, wrap, repo, json }
  },
  async () => (await import("../doctor/diagnose.js")).diagnose
)
