/**
 * `charlotte stop`: ends jobs, and returns when they are really over.
 */
import * as Args from "@effect/cli/Args"
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import { Effect, Option, Schema } from "effect"
import * as Home from "../../daemon/Home.js"
import { StopReport } from "../../domain/StopReport.js"
import * as ExitCode from "../ExitCode.js"
import * as Line from "../Line.js"
import { Output, writeLines } from "../Output.js"
import * as Stopping from "../Stopping.js"
import { UsageError } from "../UsageError.js"
import * as Words from "../Words.js"
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
        const report = yield* Stopping.one(job.value, given)
        return yield* json ? write(encode(report)) : writeLines([line(report)])
      }
      const reports = yield* Stopping.all(given)
      yield* json
        ? write(reports.map((report) => encode(report)))
        : writeLines(reports.length === 0 ? [[Line.raw("no job runs")]] : reports.map(line))
      if (reports.some(({ mode }) => mode === "timedOut")) return yield* new ExitCode.Quit({ code: ExitCode.failed })
    }).pipe(Effect.provide(Home.layerUntouched))
).pipe(
  Command.withDescription(
    about("Stops a job, and returns when it is really over.", "charlotte stop latest --grace 30s")
  )
)

const encode = Schema.encodeSync(StopReport)

const write = (value: unknown) => Effect.flatMap(Output, ({ write }) => write(`${JSON.stringify(value)}\n`))

const line = ({ elapsed, jobId, mode, status }: StopReport): Line.Line => {
  const job = Line.raw(`job ${jobId}`)
  switch (mode) {
    case "graceful":
      return [Line.raw("✓ ", "good"), job, Line.raw(` ${status}, after ${Words.span(elapsed)}`)]
    case "forced":
      return [
        Line.raw("! ", "warn"),
        job,
        Line.raw(` ${status}, after ${Words.span(elapsed)}; what did not end by itself was killed`)
      ]
    case "alreadyEnded":
      return [Line.raw("· ", "faint"), job, Line.raw(` was over before: ${status}`)]
    case "timedOut":
      return [Line.raw("✗ ", "bad"), job, Line.raw(` has not ended in ${Words.span(elapsed)}; it is still stopping`)]
  }
}
