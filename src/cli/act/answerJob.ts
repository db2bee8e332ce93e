/**
 * `charlotte answer`: through the process that runs jobs, or in the database if none does.
 */
import { Effect, Option } from "effect"
import * as Home from "../../daemon/home/Home.js"
import type { JobId } from "../../domain/JobId.js"
import type { Question } from "../../domain/Question.js"
import { answerProblem } from "../../http/contract/answerProblem.js"
import { now } from "../../internal/now.js"
import { UsageError } from "../parser/UsageError.js"
import * as JobRef from "../target/JobRef.js"
import * as JobSource from "../target/JobSource.js"
import * as StyledLine from "../terminal/StyledLine.js"
import { writeJson, writeLines } from "../terminal/Output.js"
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
    const host = yield* JobSource.host
    const found = (id: JobId) => (answered: Question) => ({ id, answered })
    const answer = { ...unit, text, by: sender() }
    const { answered, id } = Option.isSome(host)
      ? yield* Effect.flatMap(JobRef.find(host.value.client, job), (id) =>
          Effect.map(host.value.client.answer(id, answer), found(id))
        )
      : yield* Effect.flatMap(
          Effect.promise(() => import("../offline/withStore.js")),
          ({ withStore }) =>
            withStore((store, jobs) =>
              Effect.gen(function* () {
                const id = yield* JobRef.find(jobs, job)
                const at = yield* now
                return found(id)(yield* store.questions.answer({ ...answer, jobId: id, at }))
              })
            )
        )
    yield* json
      ? writeJson({ id, unit: answered.unit, task: answered.task, question: answered.question })
      : writeLines([line(id, answered, Option.isSome(host))])
  }).pipe(Effect.provide(Home.layerUntouched))

const line = (id: JobId, { question, task, unit }: Question, isHosted: boolean): StyledLine.Line => [
  StyledLine.raw("✓ ", "good"),
  StyledLine.piece(`${unit} ${task} of job ${id} has the answer to: ${question}`),
  StyledLine.raw(isHosted ? "" : "; it resumes when a daemon runs: charlotte daemon start")
]
