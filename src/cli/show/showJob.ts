/**
 * `charlotte show`: shows everything that is known of a job.
 */
import { DateTime, Effect, Schema } from "effect"
import * as Home from "../../daemon/home/Home.js"
import { Job } from "../../http/contract/Api.js"
import * as JobRef from "../target/JobRef.js"
import * as JobSource from "../target/JobSource.js"
import * as renderJob from "./renderJob.js"
import * as unfinishedWork from "./unfinishedWork.js"
import * as Summary from "../run/Summary.js"
import { Output, writeLines } from "../terminal/Output.js"
import { timeZone } from "../terminal/timeZone.js"

export interface Options {
  readonly job: string
  readonly json: boolean
}

export const showJob = (given: Options) =>
  Effect.gen(function* () {
    const { isTerminal, size, write } = yield* Output
    const jobs = yield* JobSource.read
    const job = yield* Effect.flatMap(JobRef.find(jobs, given.job), jobs.get)
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

const encode = Schema.encodeSync(Job)
