/**
 * `charlotte stop`: stops jobs, and returns when they have ended.
 */
import { Duration, Effect, Option, Schema } from "effect"
import * as Home from "../../daemon/home/Home.js"
import { StopReport } from "../../domain/StopReport.js"
import * as ExitCode from "../errors/ExitCode.js"
import { UsageError } from "../parser/UsageError.js"
import * as stopJobs from "./stopJobs.js"
import * as format from "../terminal/format.js"
import { writeJson, writeLines } from "../terminal/Output.js"
import * as StyledLine from "../terminal/StyledLine.js"

export interface Options extends stopJobs.Options {
  readonly job: Option.Option<string>
  readonly all: boolean
  readonly json: boolean
}

export const reportStop = ({ all, job, json, ...given }: Options) =>
  Effect.gen(function* () {
    if (Option.isSome(job) === all) {
      return yield* new UsageError({
        problem: all ? "give either a job or --all, not both" : "missing argument <job>, or --all",
        hint: "see: charlotte stop --help"
      })
    }
    if (Option.isSome(job)) {
      const report = yield* stopJobs.one(job.value, given)
      return yield* json ? writeJson(encode(report)) : writeLines([line(report)])
    }
    const reports = yield* stopJobs.all(given)
    yield* json
      ? writeJson(reports.map((report) => encode(report)))
      : writeLines(reports.length === 0 ? [[StyledLine.raw("no jobs are running")]] : reports.map(line))
    if (reports.some(({ mode }) => mode === "timedOut")) return yield* new ExitCode.Quit({ code: ExitCode.failed })
  }).pipe(Effect.provide(Home.layerUntouched))

const encode = Schema.encodeSync(StopReport)

const line = ({ elapsed, jobId, killed, mode, status }: StopReport): StyledLine.Line => {
  const took = format.span(Duration.toMillis(elapsed))
  const job = StyledLine.raw(`job ${jobId}`)
  switch (mode) {
    case "graceful":
      return [StyledLine.raw("✓ ", "good"), job, StyledLine.raw(` ${status} after ${took}`)]
    case "forced":
      return [
        StyledLine.raw("! ", "warn"),
        job,
        StyledLine.raw(` ${status} after ${took}; killed at the end of the grace period`),
        ...named(killed)
      ]
    case "alreadyEnded":
      return [StyledLine.raw("· ", "faint"), job, StyledLine.raw(` had already ended: ${status}`)]
    case "timedOut":
      return [StyledLine.raw("✗ ", "bad"), job, StyledLine.raw(` did not end within ${took} and is still stopping`)]
  }
}

const maxNamed = 5

const named = (killed: StopReport["killed"] = []): StyledLine.Line => {
  const some = killed.slice(0, maxNamed).map(({ command, pid }) => `${command} (pid ${pid})`)
  const more = killed.length > maxNamed ? [`${killed.length - maxNamed} more`] : []
  return killed.length === 0 ? [] : [StyledLine.raw(": "), StyledLine.piece([...some, ...more].join(", "))]
}
