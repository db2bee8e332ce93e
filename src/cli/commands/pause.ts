/**
 * `charlotte pause`, `charlotte unpause` and `charlotte limit`: how many jobs of a kind may begin.
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

const maxJobs = Parameter.argument("limit", {
  description: 'A whole number, 1 or more, or "default": that of the configuration.',
  decode: (text): Either.Either<number | "default", { readonly problem: string }> => {
    if (text === "default") return Either.right("default")
    return /^[1-9]\d{0,5}$/.test(text)
      ? Either.right(Number(text))
      : Either.left({ problem: `invalid limit "${text}": expected a whole number, 1 or more, or default` })
  }
})

export const limit = CommandTree.command(
  {
    description:
      "Limit how many jobs of a kind run at once. On one machine until the daemon restarts, in a cluster for all nodes together; running jobs continue.",
    example: "charlotte limit tasks 3",
    parameters: { kind, maxJobs, json }
  },
  async () => (await import("../act/pauseKind.js")).limit
)
