/**
 * Jobs: submitting, looking, stopping, continuing.
 */
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as OpenApi from "@effect/platform/OpenApi"
import { Schema } from "effect"
import { JobConfig } from "../../domain/JobConfig.js"
import { JobId } from "../../domain/JobId.js"
import { Run } from "../../domain/Run.js"
import { StopReport } from "../../domain/StopReport.js"
import { TaskCounts, TaskRecord, UnitRecord } from "../../domain/Work.js"
import * as Failure from "./errorSchemas.js"
import * as Parameters from "./Parameters.js"

/** While a job is active. */
const phase = Schema.optional(Schema.Literal("running", "stopping"))

/**
 * A job with all that is recorded of it.
 *
 * @since 0.1.0
 */
export class Job extends Run.extend<Job>("charlotte/Job")({
  phase,
  /** In the order of the plan. */
  units: Schema.Array(UnitRecord),
  tasks: Schema.Array(TaskRecord)
}) {}

/**
 * A job as one of many: its record, and how far it has come.
 *
 * @since 0.1.0
 */
export class ListedJob extends Run.extend<ListedJob>("charlotte/ListedJob")({
  phase,
  /** Missing where there are no tasks. */
  progress: Schema.optional(TaskCounts)
}) {}

/**
 * Jobs, newest first.
 *
 * @since 0.1.0
 */
export class JobPage extends Schema.Class<JobPage>("charlotte/JobPage")({
  jobs: Schema.Array(ListedJob),
  /** The next page is asked for `before` this one; missing on the last page. */
  next: Schema.optional(JobId)
}) {}

/** @since 0.1.0 */
export class Submitted extends Schema.Class<Submitted>("charlotte/Submitted")({ id: JobId }) {}

const described = (summary: string, description?: string) => OpenApi.annotations({ summary, description })

const OfJob = Schema.Struct({ id: Parameters.JobId })

const submit = HttpApiEndpoint.post("submit", "/jobs")
  .setHeaders(Schema.Struct({ "idempotency-key": Parameters.optional(Parameters.IdempotencyKey) }))
  .setPayload(Schema.encodedSchema(JobConfig))
  .addSuccess(Submitted, { status: 201 })
  .addError(Failure.InvalidJobConfig)
  .addError(Failure.IdempotencyKeyReused)
  .addError(Failure.JobConflict)
  .addError(Failure.MaxJobsReached)
  .addError(Failure.ShuttingDown)
  .annotateContext(
    described(
      "Starts a job",
      "It answers as soon as the job is recorded and runs. With an Idempotency-Key, a submission that is sent again gives the job that it gave before."
    )
  )

const list = HttpApiEndpoint.get("list", "/jobs")
  .setUrlParams(
    Schema.Struct({
      status: Parameters.optional(Parameters.Status),
      label: Parameters.optional(Schema.Array(Parameters.Label)),
      limit: Parameters.optional(Parameters.Limit),
      before: Parameters.optional(Parameters.JobId)
    })
  )
  .addSuccess(JobPage)
  .annotateContext(
    described("Lists jobs, newest first", "With several labels, each written KEY=VALUE, a job must have all of them.")
  )

const get = HttpApiEndpoint.get("get", "/jobs/:id")
  .setPath(OfJob)
  .addSuccess(Job)
  .addError(Failure.JobNotFound)
  .annotateContext(described("Shows a job with its units and tasks"))

const stop = HttpApiEndpoint.post("stop", "/jobs/:id/stop")
  .setPath(OfJob)
  .setUrlParams(Schema.Struct({ grace: Parameters.optional(Parameters.Millis) }))
  .addSuccess(StopReport)
  .addError(Failure.JobNotFound)
  .addError(Failure.StopTimedOut)
  .annotateContext(
    described("Stops a job", "It answers when the job is really over. grace: milliseconds that it may take to end.")
  )

/** A body of its own, so that no slip in the path of another request asks for it. */
export const StopAll = Schema.Struct({
  all: Schema.Literal(true),
  /** The kind of the jobs, for a client that wants to be sure of it. */
  kind: Schema.optional(Schema.NonEmptyString)
}).annotations({
  identifier: "StopAll",
  message: () => ({ message: 'to stop all jobs, send the body { "all": true }', override: true })
})

const stopAll = HttpApiEndpoint.post("stopAll", "/jobs/stop")
  .setPayload(StopAll)
  .addSuccess(Schema.Array(StopReport))
  .annotateContext(described("Stops all jobs", 'Only with the body { "all": true }.'))

const resume = HttpApiEndpoint.post("resume", "/jobs/:id/resume")
  .setPath(OfJob)
  .addSuccess(HttpApiSchema.NoContent)
  .addError(Failure.JobConflict)
  .addError(Failure.JobNotFound)
  .addError(Failure.MaxJobsReached)
  .addError(Failure.NotResumable)
  .addError(Failure.ShuttingDown)
  .annotateContext(described("Continues an interrupted job"))

const logs = HttpApiEndpoint.get("logs", "/jobs/:id/logs")
  .setPath(OfJob)
  .setUrlParams(
    Schema.Struct({
      unit: Parameters.optional(Schema.String),
      task: Parameters.optional(Parameters.Position),
      file: Parameters.optional(Schema.String),
      from: Parameters.optional(Parameters.Position),
      to: Parameters.optional(Parameters.Position),
      follow: Parameters.optional(Parameters.Flag)
    })
  )
  .addSuccess(
    Schema.String.pipe(HttpApiSchema.withEncoding({ kind: "Text", contentType: "text/plain; charset=utf-8" }))
  )
  .addError(Failure.InvalidQuery)
  .addError(Failure.JobNotFound)
  .addError(Failure.LogNotFound)
  .addError(Failure.ShuttingDown)
  .annotateContext(
    described(
      "Shows what an agent or a gate printed",
      "Of the latest log of a task, or of a file that an event names; from and to are offsets in bytes, and follow goes on until the task is over."
    )
  )

export const group = HttpApiGroup.make("charlotteJobs")
  .add(submit)
  .add(list)
  .add(get)
  .add(stop)
  .add(stopAll)
  .add(resume)
  .add(logs)
  .addError(Failure.StoreFull)
  .addError(Failure.StoreAway)
  .addError(Failure.StoreBroken)
  .addError(Failure.StoreInvalid)
  .annotateContext(OpenApi.annotations({ title: "jobs", description: "Jobs and what is recorded of them" }))
