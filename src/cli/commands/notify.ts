/**
 * `charlotte notify`: the commands that send notices about jobs.
 */
import { Either } from "effect"
import * as CommandTree from "../parser/CommandTree.js"
import * as Parameter from "../parser/Parameter.js"
import { json } from "./parameters.js"

const name = Parameter.optionalArgument("name", {
  description: "A name under notify: in config.yaml (default: all).",
  decode: Either.right
})

const test = CommandTree.command(
  {
    description:
      "Send a test notice. Runs the commands under notify: in config.yaml, with the variables of this shell; a daemon has those it was started with.",
    example: "charlotte notify test phone",
    isLocal: true,
    parameters: { name, json }
  },
  async () => (await import("../notify/testNotices.js")).testNotices
)

export const notify: CommandTree.Group = {
  description: "Try the commands that send notices.",
  children: { test }
}
