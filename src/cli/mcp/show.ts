/** The tool that shows the units and tasks of a job. */
import { Array, Effect, Record, Schema } from "effect"
import { JobId } from "../../domain/JobId.js"
import { RunStatus } from "../../domain/RunStatus.js"
import { JobTask, JobUnit } from "../../http/contract/Api.js"
import * as costs from "../../progress/cost.js"
import { jobName } from "../../progress/jobName.js"
import * as reason from "../../progress/reason.js"
import * as JobRef from "../target/JobRef.js"
import * as JobSource from "../target/JobSource.js"
import * as inputs from "./inputs.js"
import * as page from "./page.js"
import * as progress from "./progress.js"
import * as Tool from "./Tool.js"
import * as Untrusted from "./Untrusted.js"

const Counts = Schema.Record({ key: Schema.String, value: Schema.Int }).annotations({
  description: "How many are in each state."
})

const countBy = (records: ReadonlyArray<{ readonly state: string }>) =>
  Record.map(
    Array.groupBy(records, ({ state }) => state),
    ({ length }) => length
  )

export const show = Tool.make({
  name: "show",
  description:
    "Show the status of a job, and its units and tasks with their states. Call explain for why it has failed or what it needs.",
  hints: Tool.reads,
  input: Schema.Struct({ job: inputs.job, skip: inputs.skip }),
  output: Schema.Struct({
    id: JobId,
    status: RunStatus,
    name: Untrusted.Untrusted,
    createdAt: Schema.DateTimeUtc,
    startedAt: Schema.optional(Schema.DateTimeUtc),
    endedAt: Schema.optional(Schema.DateTimeUtc),
    retryOf: Schema.optional(JobId),
    retriedAs: Schema.optional(JobId),
    cost: Schema.optional(Schema.String),
    progress: progress.field,
    units: Counts,
    tasks: Counts,
    page: Schema.Array(
      Schema.Struct({
        unit: Schema.String,
        unitState: JobUnit.fields.state,
        task: Schema.optional(Schema.Int),
        state: Schema.optional(JobTask.fields.state),
        title: Schema.optional(Untrusted.Untrusted),
        commit: Schema.optional(Schema.String),
        problem: Schema.optional(Untrusted.Untrusted)
      })
    ).annotations({ description: "The tasks in the order of the plan." }),
    next: Schema.optional(
      Schema.Int.annotations({ description: "The value of skip for the next page, if there is one." })
    )
  }),
  run: ({ job: name, skip }) =>
    Effect.gen(function* () {
      const jobs = yield* JobSource.read
      const job = yield* Effect.flatMap(JobRef.find(jobs, yield* inputs.reference(name)), jobs.get)
      const rows = job.units.flatMap(({ reason: problem, state, unit }) => {
        const own = { unit, unitState: state }
        const tasks = job.tasks.filter((task) => task.unit === unit)
        if (tasks.length === 0) return [{ ...own, ...(problem !== undefined && { problem: Untrusted.line(problem) }) }]
        return tasks.map((task) => {
          const failed = reason.ofTask(task)
          return {
            ...own,
            task: task.task,
            state: task.state,
            title: Untrusted.line(task.title),
            commit: task.commit,
            ...(failed !== undefined && { problem: Untrusted.line(failed) })
          }
        })
      })
      const { createdAt, endedAt, id, retriedAs, retryOf, startedAt, status } = job
      return {
        ...{ id, status, createdAt, startedAt, endedAt, retryOf, retriedAs },
        name: Untrusted.line(jobName(job)),
        cost: job.cost && costs.short(job.cost),
        progress: progress.of(job.progress),
        units: countBy(job.units),
        tasks: countBy(job.tasks),
        ...page.after(rows, skip)
      }
    })
})
