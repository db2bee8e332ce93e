/**
 * `charlotte show`: shows everything that is known of a job.
 */
import { DateTime, Effect, Option, Schema } from "effect"
import * as Home from "../../daemon/Home.js"
import { Job } from "../../http/contract/Api.js"
import * as JobRef from "../JobRef.js"
import * as JobSource from "../JobSource.js"
import * as CommandTree from "../parser/CommandTree.js"
import * as renderJob from "../renderJob.js"
import * as Summary from "../run/Summary.js"
import { Output, writeLines } from "../terminal/Output.js"
import { job, json } from "./parameters.js"

export const show = CommandTree.command(
  {
    description: "Show a job with its units and tasks, its result and the next step.",
    example: "charlotte show latest",
    parameters: { job, json }
  },
  (given) =>
    Effect.gen(function* () {
      const { isTerminal, size, write } = yield* Output
      const jobs = yield* JobSource.read
      const job = yield* Effect.flatMap(JobRef.find(jobs, given.job), jobs.get)
      const now = yield* DateTime.now
      if (given.json) {
        const summary = Summary.of({ run: job, work: job }, now)
        return yield* write(`${JSON.stringify({ ...encode(job), summary })}\n`)
      }
      const zone = Option.getOrElse(yield* Effect.serviceOption(DateTime.CurrentTimeZone), DateTime.zoneMakeLocal)
      yield* writeLines(renderJob.lines(job, { now, zone, columns: isTerminal ? (yield* size).columns : Infinity }))
    }).pipe(Effect.provide(Home.layerUntouched), Effect.scoped)
)

const encode = Schema.encodeSync(Job)
