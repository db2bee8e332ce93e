/** The tools that decide about a result, if the person has allowed that. */
import { Effect, Option, Schema } from "effect"
import { JobId } from "../../domain/JobId.js"
import { becauseProblem } from "../../http/contract/becauseProblem.js"
import * as decide from "../act/decide.js"
import { captured } from "./captured.js"
import * as host from "./host.js"
import * as inputs from "./inputs.js"
import * as Tool from "./Tool.js"

const commit = Schema.String.pipe(Schema.pattern(/^[0-9a-f]{7,64}$/)).annotations({
  description: "The commit that you have looked at, as explain shows it; refused if the result is another one by now."
})

const Printed = Schema.Struct({ id: JobId, commit: Schema.String })

export const approve = Tool.make({
  name: "approve",
  description:
    "Approve the result of a job that waits for approval, which lands then. Look at its changes first, by the command that explain shows.",
  hints: Tool.decides,
  input: Schema.Struct({ job: inputs.job, commit }),
  output: Printed,
  run: ({ commit, job }) =>
    Effect.gen(function* () {
      const reference = yield* inputs.reference(job)
      yield* host.any
      return yield* captured(Printed, decide.approve({ job: reference, commit: Option.some(commit), json: true }))
    })
})

export const reject = Tool.make({
  name: "reject",
  description:
    "Reject the result of a job that waits for approval. With a unit, that unit continues with one more task, whose prompt is the text, and the job asks again; without one, the job fails, and keeps its work.",
  hints: Tool.decides,
  input: Schema.Struct({
    job: inputs.job,
    commit,
    unit: inputs.optional(inputs.text("The unit that continues.")),
    because: Schema.String.pipe(
      Schema.filter((text) => becauseProblem(text) ?? true, { jsonSchema: { minLength: 1 } })
    ).annotations({ description: "What is wrong with it." })
  }),
  output: Printed,
  run: ({ because, commit, job, unit }) =>
    Effect.gen(function* () {
      const reference = yield* inputs.reference(job)
      yield* host.any
      const rejection = {
        job: reference,
        commit: Option.some(commit),
        unit: Option.fromNullable(unit),
        because,
        json: true
      }
      return yield* captured(Printed, decide.reject(rejection))
    })
})
