/**
 * `charlotte approve` and `charlotte reject`: decide about the result of a job with `land: ask`.
 */
import { Either } from "effect"
import { becauseProblem } from "../../http/contract/becauseProblem.js"
import * as CommandTree from "../parser/CommandTree.js"
import * as Parameter from "../parser/Parameter.js"
import { job, json } from "./parameters.js"

const commit = Parameter.option(
  "commit",
  { placeholder: "COMMIT", description: "The commit that you have looked at (default: the one that waits)." },
  (text) => (/^[0-9a-f]{7,64}$/.test(text) ? Either.right(text) : Either.left("at least 7 digits of a commit id"))
)

export const approve = CommandTree.command(
  {
    description:
      "Approve the result of a job. It lands, if the job waits for that (land: ask) and the result is still the same. Refused inside a job.",
    example: "charlotte approve latest",
    parameters: { job, commit, json }
  },
  async () => (await import("../act/decide.js")).approve
)

const unit = Parameter.textOption("unit", {
  placeholder: "UNIT",
  description: "The unit that continues with one more task (default: the job fails, and keeps its work).",
  source: "units"
})

const because: Parameter.Parameter<string> = {
  kind: "option",
  name: "because",
  placeholder: "TEXT",
  description: "What is wrong with it; required.",
  required: true,
  repeated: false,
  choices: [],
  decode: ([text]) => {
    const problem = text === undefined ? "is missing: say what is wrong with the result" : becauseProblem(text)
    return text === undefined || problem !== undefined
      ? Either.left({ problem: `--because ${problem}` })
      : Either.right(text)
  }
}

export const reject = CommandTree.command(
  {
    description:
      "Reject the result of a job. With a unit, the text is the prompt of one more task of that unit, and the job asks again. Refused inside a job.",
    example: 'charlotte reject latest --unit parser --because "The error needs the line number."',
    parameters: { job, unit, because, commit, json }
  },
  async () => (await import("../act/decide.js")).reject
)
