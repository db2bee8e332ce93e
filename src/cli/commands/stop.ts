/**
 * `charlotte stop`: ends jobs, and returns when they are really over.
 */
import * as Args from "@effect/cli/Args"
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import { Effect, Option, Schema } from "effect"
import * as Home from "../../daemon/Home.js"
import { StopReport } from "../../domain/StopReport.js"
import * as ExitCode from "../errors/ExitCode.js"
import * as StyledLine from "../terminal/StyledLine.js"
import { Output, writeLines } from "../terminal/Output.js"
import * as stopJobs from "../stopJobs.js"
import { UsageError } from "../parser/UsageError.js"
import * as format from "../terminal/format.js"
import { about, job, json, span } from "./parameters.js"

const all = Options.boolean("all").pipe(Options.withDescription("All jobs that run."))

const grace = span("grace", "How long a job may take to end by itself, such as 5s or 2min; else as it is configured.")

export const stop = Command.make(
  "stop",
  { job: Args.optional(job), all, grace, json },
  ({ all, job, json, ...given }) =>
    Effect.gen(function* () {
      if (Option.isSome(job) === all) {
        const problem = all ? "give a job or --all, and not both" : "<job> is missing; or give --all"
        return yield* new UsageError({ problem, help: "charlotte stop --help" })
      }
      if (Option.isSome(job)) {
        const report = yield* stopJobs.one(job.value, given)
        return yield* json ? write(encode(report)) : writeLines([line(report)])
      }
      const reports = yield* stopJobs.all(given)
      yield* json
        ? write(reports.map((report) => encode(report)))
        : writeLines(reports.length === 0 ? [[StyledLine.raw("no job runs")]] : reports.map(line))
      if (reports.some(({ mode }) => mode === "timedOut")) return yield* new ExitCode.Quit({ code: ExitCode.failed })
    }).pipe(Effect.provide(Home.layerUntouched))
).pipe(
  Command.withDescription(
    about("Stops a job, and returns when it is really over.", "charlotte stop latest --grace 30s")
  )
)

const encode = Schema.encodeSync(StopReport)

const write = (value: unknown) => Effect.flatMap(Output, ({ write }) => write(`${JSON.stringify(value)}\n`))

const line = ({ elapsed, jobId, killed, mode, status }: StopReport): StyledLine.Line => {
  const job = StyledLine.raw(`job ${jobId}`)
  switch (mode) {
    case "graceful":
      return [StyledLine.raw("✓ ", "good"), job, StyledLine.raw(` ${status}, after ${format.span(elapsed)}`)]
    case "forced":
      return [
        StyledLine.raw("! ", "warn"),
        job,
        StyledLine.raw(` ${status}, after ${format.span(elapsed)}; killed at the end of the grace period`),
        ...named(killed)
      ]
    case "alreadyEnded":
      return [StyledLine.raw("· ", "faint"), job, StyledLine.raw(` was over before: ${status}`)]
    case "timedOut":
      return [
        StyledLine.raw("✗ ", "bad"),
        job,
        StyledLine.raw(` has not ended in ${format.span(elapsed)}; it is still stopping`)
      ]
  }
}

const maxNamed = 5

const named = (killed: StopReport["killed"] = []): StyledLine.Line => {
  const some = killed.slice(0, maxNamed).map(({ command, pid }) => `${command} (pid ${pid})`)
  const more = killed.length > maxNamed ? [`${killed.length - maxNamed} more`] : []
  return killed.length === 0 ? [] : [StyledLine.raw(": "), StyledLine.piece([...some, ...more].join(", "))]
}
