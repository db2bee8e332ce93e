/**
 * `charlotte answer`: answers the question of an agent.
 */
import { Either } from "effect"
import * as CommandTree from "../parser/CommandTree.js"
import * as Parameter from "../parser/Parameter.js"
import { job, json } from "./parameters.js"

const unitOrText = Parameter.argument("unit", {
  description: "The unit that waits for the answer; or the answer, if only one unit does.",
  decode: Either.right
})

const text = Parameter.optionalArgument("text", {
  description: "The answer, in quotes: at most 64 KiB.",
  decode: Either.right
})

export const answer = CommandTree.command(
  {
    description:
      "Answer the question of an agent. Its unit continues with the answer. If several units of the job wait for one, name the unit first.",
    example: 'charlotte answer latest api "Use port 8080."',
    parameters: { job, unitOrText, text, json }
  },
  async () => (await import("../act/answerJob.js")).answerJob
)
