/**
 * `charlotte show`: all that is known of a job.
 */
import * as Command from "@effect/cli/Command"
import { DateTime, Effect, Option, Schema } from "effect"
import * as Home from "../../daemon/Home.js"
import { Job } from "../../http/Api.js"
import * as JobName from "../JobName.js"
import * as Jobs from "../Jobs.js"
import { Output, writeLines } from "../Output.js"
import * as Summary from "../run/Summary.js"
import * as ShowText from "../ShowText.js"
import { about, job, json } from "./parameters.js"

export const show = Command.make("show", { job, json }, (given) =>
  Effect.gen(function* () {
    const { isTerminal, size, write } = yield* Output
    const jobs = yield* Jobs.read
    const job = yield* Effect.flatMap(JobName.find(jobs, given.job), jobs.get)
    const now = yield* DateTime.now
    if (given.json) {
      const summary = Summary.of({ run: job, work: job }, now)
      return yield* write(`${JSON.stringify({ ...encode(job), summary })}\n`)
    }
    const zone = Option.getOrElse(yield* Effect.serviceOption(DateTime.CurrentTimeZone), DateTime.zoneMakeLocal)
    yield* writeLines(ShowText.lines(job, { now, zone, columns: isTerminal ? (yield* size).columns : Infinity }))
  }).pipe(Effect.provide(Home.layerUntouched), Effect.scoped)
).pipe(
  Command.withDescription(
    about("Shows a job with its units and tasks, where its result is, and what to do next.", "charlotte show latest")
  )
)

const encode = Schema.encodeSync(Job)
