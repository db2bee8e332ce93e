/** The tool that lists jobs. */
import { Effect, Option, Schema, Struct } from "effect"
import { JobId } from "../../domain/JobId.js"
import { RunStatus } from "../../domain/RunStatus.js"
import { JobPage, JobProgress } from "../../http/contract/Api.js"
import { jobName } from "../../progress/jobName.js"
import * as remedy from "../../progress/remedy.js"
import { maxQueryLength } from "../../store/rules/searchText.js"
import * as listJobs from "../list/listJobs.js"
import { captured } from "./captured.js"
import * as inputs from "./inputs.js"
import { needsPerson } from "./needsPerson.js"
import * as page from "./page.js"
import * as progress from "./progress.js"
import * as Tool from "./Tool.js"
import * as Untrusted from "./Untrusted.js"

export const list = Tool.make({
  name: "list",
  description:
    "List jobs, newest first: those of the repository in which this server was started, or all. Shows which need a person, and why.",
  hints: Tool.reads,
  input: Schema.Struct({
    status: inputs.optional(RunStatus.annotations({ description: "Only jobs with this status." })),
    search: inputs.optional(
      Schema.String.pipe(Schema.maxLength(maxQueryLength)).annotations({
        description: "Only jobs with all words of this text in labels, config, error or titles of tasks."
      })
    ),
    all: inputs.flag("Also the jobs of other repositories."),
    limit: inputs.optional(inputs.number(1, 100, "How many at most; 20 by default.")),
    before: inputs.optional(inputs.text("next of the page before."))
  }),
  output: Schema.Struct({
    jobs: Schema.Array(
      Schema.Struct({
        id: JobId,
        status: RunStatus,
        name: Untrusted.Untrusted,
        createdAt: Schema.DateTimeUtc,
        endedAt: Schema.optional(Schema.DateTimeUtc),
        tasks: Schema.optional(
          Schema.Struct(Struct.omit(JobProgress.fields, "done", "total", "text")).annotations({
            description: "How many are in each state."
          })
        ),
        progress: progress.field,
        needsPerson: Schema.Boolean,
        why: Schema.optional(Untrusted.Untrusted)
      })
    ),
    next: Schema.optional(JobId.annotations({ description: "The value of before for the next page, if there is one." }))
  }),
  run: ({ all = false, before, limit, search, status }) =>
    Effect.gen(function* () {
      const found = yield* captured(
        JobPage,
        listJobs.list({
          all,
          status: Option.fromNullable(status),
          search: Option.fromNullable(search),
          limit: Option.fromNullable(limit),
          before: Option.fromNullable(before),
          kind: Option.none(),
          labels: [],
          retried: Option.none(),
          cost: false,
          json: true
        })
      )
      const rows = found.jobs.map((job) => {
        const needs = needsPerson(job)
        return {
          id: job.id,
          status: job.status,
          name: Untrusted.line(jobName(job)),
          createdAt: job.createdAt,
          endedAt: job.endedAt,
          tasks: job.progress?.pending === undefined ? undefined : job.progress,
          progress: progress.of(job.progress),
          needsPerson: needs,
          ...(needs && { why: Untrusted.line(remedy.reasonFor(job)) })
        }
      })
      const jobs = page.fitting(rows)
      return { jobs, next: jobs.length < rows.length ? jobs.at(-1)?.id : found.next }
    })
})
