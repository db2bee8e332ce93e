/**
 * `charlotte pause` and `charlotte unpause`: lets no job of a kind begin, or lets them begin again.
 */
import { Either } from "effect"
import * as CommandTree from "../parser/CommandTree.js"
import * as Parameter from "../parser/Parameter.js"
import { json } from "./parameters.js"

const kind = Parameter.argument("kind", {
  description: "The kind of job: tasks, or a kind of an application.",
  decode: Either.right
})

export const pause = CommandTree.command(
  {
    description:
      "Pause a kind of job. Running jobs continue, but none begins until the kind is unpaused, on any node and over restarts. Jobs can still be queued.",
    example: "charlotte pause tasks",
    parameters: { kind, json }
  },
  async () => (await import("../act/pauseKind.js")).pause
)

export const unpause = CommandTree.command(
  {
    description: "Let jobs of a paused kind begin again.",
    example: "charlotte unpause tasks",
    parameters: { kind, json }
  },
  async () => (await import("../act/pauseKind.js")).unpause
)
