/**
 * `charlotte show`: shows everything that is known of a job.
 */
import { DateTime, Effect, Option, Schema } from "effect"
import * as Home from "../../daemon/home/Home.js"
import { Job, JobStep } from "../../http/contract/Api.js"
import * as JobRef from "../target/JobRef.js"
import * as JobSource from "../target/JobSource.js"
import * as renderJob from "./renderJob.js"
import * as unfinishedWork from "./unfinishedWork.js"
import * as Summary from "../run/Summary.js"
import { Output, writeJson, writeLines } from "../terminal/Output.js"
import * as StyledLine from "../terminal/StyledLine.js"
import { timeZone } from "../terminal/timeZone.js"

export interface Options {
  readonly job: string
  readonly step: Option.Option<string>
  readonly json: boolean
}

export const showJob = (given: Options) =>
  Effect.gen(function* () {
    const { isTerminal, size, write } = yield* Output
    const jobs = yield* JobSource.read
    const id = yield* JobRef.find(jobs, given.job)
    if (Option.isSome(given.step)) return yield* showStep(yield* jobs.step(id, given.step.value), given)
    const job = yield* jobs.get(id)
    const now = yield* DateTime.now
    const unfinished = yield* unfinishedWork.of(job, job)
    if (given.json) {
      const summary = Summary.of({ run: job, work: job, unfinished }, now)
      return yield* write(`${JSON.stringify({ ...encode(job), summary })}\n`)
    }
    const zone = yield* timeZone
    yield* writeLines(
      renderJob.lines(job, unfinished, { now, zone, columns: isTerminal ? (yield* size).columns : Infinity })
    )
  }).pipe(Effect.provide(Home.layerUntouched), Effect.scoped)

/** Prints the value of a step. */
const showStep = (step: JobStep, { json }: Options) =>
  json
    ? writeJson(encodeStep(step))
    : step.value === undefined
      ? Effect.void
      : writeLines(
          JSON.stringify(step.value, undefined, 2)
            .split("\n")
            .map((line) => [StyledLine.verbatim(line)])
        )

const encodeStep = Schema.encodeSync(JobStep)

const encode = Schema.encodeSync(Job)
