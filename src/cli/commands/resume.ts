/**
 * `charlotte resume`: continues an interrupted or parked job.
 */
import { Either } from "effect"
import { readTokens } from "../../progress/cost.js"
import * as CommandTree from "../parser/CommandTree.js"
import * as Parameter from "../parser/Parameter.js"
import { job, json } from "./parameters.js"

const usd = Parameter.option(
  "usd",
  {
    placeholder: "USD",
    description: "How much the job may spend in all, in US dollars (default: as before, or as charlotte.yaml says)."
  },
  (text) =>
    /^\d{1,9}(\.\d{1,6})?$/.test(text) && Number(text) > 0
      ? Either.right(Number(text))
      : Either.left("an amount in US dollars, more than 0, such as 30 or 0.50")
)

const tokens = Parameter.option(
  "tokens",
  { placeholder: "N", description: "The same in tokens of all kinds, such as 800k or 5M." },
  (text) => Either.fromNullable(readTokens(text), () => "a number of tokens, such as 800k or 5M")
)

export const resume = CommandTree.command(
  {
    description:
      "Resume an interrupted or parked job. Follows it to its end; completed tasks are not repeated. A job that has spent as much as it may needs --usd or --tokens.",
    example: "charlotte resume latest",
    parameters: { job, usd, tokens, json }
  },
  async () => (await import("../run/resumeJob.js")).resumeJob
)
