/**
 * `charlotte cluster drain`: keeps new jobs from a node.
 */
import { Either } from "effect"
import * as CommandTree from "../../parser/CommandTree.js"
import * as Parameter from "../../parser/Parameter.js"
import { json } from "../parameters.js"

const node = Parameter.argument("node", {
  description: "The address of the node, as shown by charlotte cluster status, or its host.",
  decode: Either.right
})

const wait = Parameter.flag("wait", { description: "Wait until the node runs no jobs." })

const undo = Parameter.flag("undo", { description: "Let the node take jobs again." })

export const drain = CommandTree.command(
  {
    description:
      "Keep new jobs from a node until it is restarted. Other nodes begin them, also those that wait. Jobs that it runs continue there to their end; those of a node that is shut down continue on others.",
    example: "charlotte cluster drain 10.0.0.5:7440 --wait",
    isLocal: true,
    parameters: { node, wait, undo, json }
  },
  async () => (await import("../../cluster/drain.js")).drain
)
