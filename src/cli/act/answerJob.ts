/**
 * `charlotte answer`: through the process that runs jobs, or in the database if none does.
 */
import { Effect, Option } from "effect"
import * as Home from "../../daemon/home/Home.js"
import type { JobId } from "../../domain/JobId.js"
import type { Question } from "../../domain/Question.js"
import { answerProblem } from "../../http/contract/answerProblem.js"
import { UsageError } from "../parser/UsageError.js"
import * as JobRef from "../target/JobRef.js"
import * as StyledLine from "../terminal/StyledLine.js"
import { writeJson, writeLines } from "../terminal/Output.js"
import { acting } from "./acting.js"
import { outsideJob } from "./outsideJob.js"
import { sender } from "./sender.js"

export interface Options {
  readonly job: string
  /** The text, if there is no other argument. */
  readonly unitOrText: string
  readonly text: Option.Option<string>
  readonly json: boolean
}

export const answerJob = ({ job, json, text: last, unitOrText }: Options) =>
  Effect.gen(function* () {
    yield* outsideJob
    const text = Option.getOrElse(last, () => unitOrText)
    const unit = Option.isSome(last) ? { unit: unitOrText } : {}
    const problem = answerProblem(text)
    if (problem !== undefined) {
      return yield* new UsageError({ problem: `the answer ${problem}`, hint: "see: charlotte answer --help" })
    }
    const { answered, id, isHosted } = yield* acting((jobs) =>
      Effect.gen(function* () {
        const id = yield* JobRef.find(jobs, job)
        return { id, isHosted: jobs.isHosted, answered: yield* jobs.answer(id, { ...unit, text, by: sender() }) }
      })
    )
    yield* json
      ? writeJson({ id, unit: answered.unit, task: answered.task, question: answered.question })
      : writeLines([line(id, answered, isHosted)])
  }).pipe(Effect.provide(Home.layerUntouched))

const line = (id: JobId, { question, task, unit }: Question, isHosted: boolean): StyledLine.Line => [
  StyledLine.raw("✓ ", "good"),
  StyledLine.piece(`${unit} ${task} of job ${id} has the answer to: ${question}`),
  StyledLine.raw(isHosted ? "" : "; it resumes when a daemon runs: charlotte daemon start")
]
