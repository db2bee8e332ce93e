/**
 * `charlotte signal`: sends a signal to a job.
 */
import { Either } from "effect"
import { parse } from "../../internal/Json.js"
import * as CommandTree from "../parser/CommandTree.js"
import * as Parameter from "../parser/Parameter.js"
import { job, json } from "./parameters.js"

const name = Parameter.argument("name", {
  description: "The name of the signal: 1 to 64 letters, digits, dots, hyphens and underscores.",
  decode: Either.right
})

const payload = Parameter.optionalArgument("json", {
  description: `The payload as JSON, such as '{"approved": true}' or '"a text"' (default: none).`,
  decode: (text) =>
    Either.try({
      try: (): unknown => parse(text),
      catch: () => ({ problem: `"${text}" is not JSON`, hint: `text needs quotes of its own: '"a text"'` })
    })
})

export const signal = CommandTree.command(
  {
    description:
      "Send a signal to a job. It wakes a job that is parked for it; otherwise, it is kept until the job asks for it.",
    example: `charlotte signal latest approve '{"by": "Ada"}'`,
    parameters: { job, name, payload, json }
  },
  async () => (await import("../act/signalJob.js")).signalJob
)
