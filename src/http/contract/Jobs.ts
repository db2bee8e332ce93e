/**
 * Endpoints of jobs: submit, land, list, get, steps, children, export, stop, resume, reschedule, retry, remove, signal, approve, reject, answer, pin, prune, logs, diff; and
 * of their kinds: list, pause, limit.
 */
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as OpenApi from "@effect/platform/OpenApi"
import { Schema } from "effect"
import { JobConfig } from "../../domain/JobConfig.js"
import { RecordedChild } from "../../domain/RecordedChild.js"
import { RecordedStep } from "../../domain/RecordedStep.js"
import { StopReport } from "../../domain/StopReport.js"
import { Question } from "../../domain/Question.js"
import { answerProblem } from "./answerProblem.js"
import { becauseProblem } from "./becauseProblem.js"
import { described } from "./described.js"
import { Diff } from "./Diff.js"
import * as errorSchemas from "./errorSchemas.js"
import { Export } from "./Export.js"
import { Job, JobLog, JobPage, JobStep, PrunedJobs, RemovedJobs, RetriedJobs, ServedKind, Submitted } from "./Job.js"
import * as Parameters from "./Parameters.js"

const JobPath = Schema.Struct({ id: Parameters.JobId })

const submit = HttpApiEndpoint.post("submit", "/jobs")
  .setHeaders(Schema.Struct({ "idempotency-key": Parameters.optional(Parameters.IdempotencyKey) }))
  .setUrlParams(Schema.Struct(Parameters.startOptions))
  .setPayload(Schema.encodedSchema(JobConfig))
  .addSuccess(Submitted, { status: 201 })
  .addError(errorSchemas.Start)
  .annotateContext(
    described(
      "Start a job",
      "Responds as soon as the job is recorded and runs, or waits: whenFull=queue records it as pending if no permit is free, startAt or delay (milliseconds) let it start later, and at most one job holds a key. With an Idempotency-Key it is safe to retry: the same key returns the same job."
    )
  )

const land = HttpApiEndpoint.post("land", "/jobs/:id/land")
  .setPath(JobPath)
  .setHeaders(Schema.Struct({ "idempotency-key": Parameters.optional(Parameters.IdempotencyKey) }))
  .setPayload(Schema.Struct({ units: Schema.optional(Schema.NonEmptyArray(Schema.NonEmptyString)) }))
  .addSuccess(Submitted, { status: 201 })
  .addError(errorSchemas.Start)
  .addError(errorSchemas.JobNotFound)
  .annotateContext(
    described(
      "Land the work of a job",
      "Starts a job that lands the units that are done of a job that has ended, without any agent: merged with the target branch, all of their gates and the baseline pass on exactly the commit that lands. units: only these, and all that they depend on. With an Idempotency-Key it is safe to retry."
    )
  )

export const list = HttpApiEndpoint.get("list", "/jobs")
  .setUrlParams(
    Schema.Struct({
      kind: Parameters.optional(Parameters.Kind),
      status: Parameters.optional(Parameters.Status),
      label: Parameters.optional(Schema.Array(Parameters.Label)),
      q: Parameters.optional(Parameters.Search),
      retried: Parameters.optional(Parameters.Flag),
      handled: Parameters.optional(Parameters.Flag),
      order: Parameters.optional(Parameters.Order),
      limit: Parameters.optional(Parameters.Limit),
      before: Parameters.optional(Parameters.JobId)
    })
  )
  .addSuccess(JobPage)
  .addError(errorSchemas.NoSuchKind)
  .annotateContext(
    described(
      "List jobs, newest first",
      "With several labels, each written KEY=VALUE, a job must have all of them. With q it must have all words of the text, or words that begin with them, in its labels, its config, its error or the titles of its tasks; the text has no operators. With retried=false it has only jobs that no other job retries, and with handled=false no failed children whose parents handle the failure: with status=failed and both, those that need a person. A page that is followed by another may be short, or even empty. order=queue lists the pending jobs of a kind in the order in which they will start."
    )
  )

export const get = HttpApiEndpoint.get("get", "/jobs/:id")
  .setPath(JobPath)
  .addSuccess(Job)
  .addError(errorSchemas.JobNotFound)
  .annotateContext(described("Get a job with its units and tasks"))

export const steps = HttpApiEndpoint.get("steps", "/jobs/:id/steps")
  .setPath(JobPath)
  .setUrlParams(
    Schema.Struct({
      after: Parameters.optional(Parameters.Position),
      limit: Parameters.optional(Parameters.Limit)
    })
  )
  .addSuccess(Schema.Array(RecordedStep))
  .addError(errorSchemas.JobNotFound)
  .annotateContext(
    described(
      "List the steps of a job",
      "In order, including the steps of the jobs that it retries. For the next page, pass the seq of the last step as after; a page with fewer steps than limit, 100 by default, is the last one for now."
    )
  )

export const step = HttpApiEndpoint.get("step", "/jobs/:id/steps/:name")
  .setPath(Schema.Struct({ id: Parameters.JobId, name: Schema.String }))
  .setUrlParams(Schema.Struct({ name: Parameters.optional(Schema.String) }))
  .addSuccess(JobStep)
  .addError(errorSchemas.JobNotFound)
  .addError(errorSchemas.StepNotFound)
  .annotateContext(
    described(
      "Get a step with its value",
      "The value is its success or, with ok: false, its failure; secrets that the server knows are redacted. The parameter name replaces the name in the path, for . and .., which no URL can have there: steps/-?name=.. is the step .."
    )
  )

export const children = HttpApiEndpoint.get("children", "/jobs/:id/children")
  .setPath(JobPath)
  .setUrlParams(
    Schema.Struct({
      before: Parameters.optional(Parameters.JobId),
      limit: Parameters.optional(Parameters.Limit)
    })
  )
  .addSuccess(Schema.Array(RecordedChild))
  .addError(errorSchemas.JobNotFound)
  .annotateContext(
    described(
      "List the children of a job",
      "Newest first, including the children of the jobs that it retries. For the next page, pass the jobId of the last child as before; a page with fewer children than limit, 100 by default, is the last one."
    )
  )

export const exported = HttpApiEndpoint.get("export", "/jobs/:id/export")
  .setPath(JobPath)
  .addSuccess(Export)
  .addError(errorSchemas.JobNotFound)
  .annotateContext(
    described(
      "Export a job",
      "The complete record of the job, without its logs, streamed as one document, each record on a line of its own. complete is false if the job has not ended: the document then contains what is recorded so far. A document that does not end with a line break was cut off."
    )
  )

export const stop = HttpApiEndpoint.post("stop", "/jobs/:id/stop")
  .setPath(JobPath)
  .setUrlParams(
    Schema.Struct({ grace: Parameters.optional(Parameters.Millis), by: Parameters.optional(Schema.String) })
  )
  .addSuccess(StopReport)
  .addError(errorSchemas.JobNotFound)
  .addError(errorSchemas.StopTimedOut)
  .annotateContext(
    described(
      "Stop a job",
      "Responds when the job has ended: no fiber, process or lock is left. grace: milliseconds until it is killed. by: the name of the sender, which is not verified."
    )
  )

/** Requires a body, so that a mistyped path of another request cannot stop all jobs. */
export const StopAll = Schema.Struct({
  all: Schema.Literal(true),
  /** Only jobs of this kind. */
  kind: Schema.optional(Schema.NonEmptyString),
  /** The name of the sender, which is not verified. */
  by: Schema.optional(Schema.String)
}).annotations({
  identifier: "StopAll",
  message: () => ({ message: 'to stop all jobs, send the body { "all": true }', override: true })
})

const stopAll = HttpApiEndpoint.post("stopAll", "/jobs/stop")
  .setPayload(StopAll)
  .addSuccess(Schema.Array(StopReport))
  .addError(errorSchemas.NoSuchKind)
  .annotateContext(described("Stop all jobs", 'Requires the body { "all": true }; with a kind, those of that kind.'))

export const resume = HttpApiEndpoint.post("resume", "/jobs/:id/resume")
  .setPath(JobPath)
  .setUrlParams(
    Schema.Struct({
      usd: Parameters.optional(Parameters.Usd),
      tokens: Parameters.optional(Parameters.Tokens),
      by: Parameters.optional(Schema.String)
    })
  )
  .addSuccess(HttpApiSchema.NoContent)
  .addError(errorSchemas.JobConflict)
  .addError(errorSchemas.JobNotFound)
  .addError(errorSchemas.KindPaused)
  .addError(errorSchemas.MaxJobsReached)
  .addError(errorSchemas.NotResumable)
  .addError(errorSchemas.ShuttingDown)
  .annotateContext(
    described(
      "Resume an interrupted job",
      "A parked job continues as soon as a permit is free. usd, tokens: how much it may spend in all from now on, in place of limits.usd and limits.tokens of its plan. by: the name of the sender, which is not verified."
    )
  )

export const retry = HttpApiEndpoint.post("retry", "/jobs/:id/retry")
  .setPath(JobPath)
  .setUrlParams(
    Schema.Struct({
      fresh: Parameters.optional(Parameters.Flag),
      again: Parameters.optional(Parameters.Flag),
      by: Parameters.optional(Schema.String)
    })
  )
  .addSuccess(Submitted, { status: 201 })
  .addError(errorSchemas.JobConflict)
  .addError(errorSchemas.JobNotFound)
  .addError(errorSchemas.NotRetryable)
  .addError(errorSchemas.QueueFull)
  .addError(errorSchemas.ShuttingDown)
  .annotateContext(
    described(
      "Retry a failed or cancelled job",
      "A new job with its recorded configuration, labels, priority and keys waits for a permit; with again also for a completed job. It is safe to retry the request: a job that has been retried answers with the job that retries it. by: the name of the sender, which is not verified."
    )
  )

export const Reschedule = Schema.Struct({
  priority: Schema.optional(Schema.Number),
  startAt: Schema.optional(Schema.Union(Schema.Literal("now"), Schema.DateTimeUtc)),
  by: Schema.optional(Schema.String)
}).annotations({ identifier: "Reschedule" })

const reschedule = HttpApiEndpoint.post("reschedule", "/jobs/:id/reschedule")
  .setPath(JobPath)
  .setPayload(Reschedule)
  .addSuccess(HttpApiSchema.NoContent)
  .addError(errorSchemas.InvalidJobConfig)
  .addError(errorSchemas.JobNotFound)
  .addError(errorSchemas.NotReschedulable)
  .annotateContext(
    described(
      "Reschedule a waiting job",
      "Changes the priority of a pending, parked or interrupted job, and when a pending one begins, at the earliest: at a time, or now. It still waits for a permit."
    )
  )

const RetryMany = Schema.Struct({
  kind: Schema.NonEmptyString,
  status: Schema.optional(Schema.Literal("failed", "cancelled")),
  labels: Schema.optional(Schema.Record({ key: Schema.String, value: Schema.String })),
  q: Schema.optional(Parameters.Search),
  before: Schema.optional(Parameters.JobId),
  fresh: Schema.optional(Schema.Boolean),
  by: Schema.optional(Schema.String)
}).annotations({ identifier: "RetryMany" })

export const retryMany = HttpApiEndpoint.post("retryMany", "/jobs/retry")
  .setPayload(RetryMany)
  .addSuccess(RetriedJobs)
  .addError(errorSchemas.NoSuchKind)
  .addError(errorSchemas.ShuttingDown)
  .annotateContext(
    described(
      "Retry the failed and cancelled jobs of a kind",
      "Retries jobs that match and that no job retries yet, up to 200 in a request, from the newest on; repeat it with the value of last as before until last is missing. A body with nothing but a kind is refused: it needs a status, labels or q."
    )
  )

const remove = HttpApiEndpoint.del("remove", "/jobs/:id")
  .setPath(JobPath)
  .setUrlParams(
    Schema.Struct({
      stop: Parameters.optional(Parameters.Flag),
      pinned: Parameters.optional(Parameters.Flag),
      by: Parameters.optional(Schema.String)
    })
  )
  .addSuccess(HttpApiSchema.NoContent)
  .addError(errorSchemas.JobNotFound)
  .addError(errorSchemas.NotRemovable)
  .addError(errorSchemas.StopTimedOut)
  .annotateContext(
    described(
      "Remove a job that is over",
      "Responds when the job is deleted with all that is recorded of it, with the jobs that it retries and that retry it. stop: a job that is not over is stopped first. pinned: also remove pinned jobs. It is safe to retry: a job that was removed before answers the same. by: the name of the sender, which is not verified."
    )
  )

const RemoveMany = Schema.Struct({
  kind: Schema.NonEmptyString,
  status: Schema.optional(Schema.Literal("completed", "failed", "cancelled")),
  labels: Schema.optional(Schema.Record({ key: Schema.String, value: Schema.String })),
  q: Schema.optional(Parameters.Search),
  before: Schema.optional(Parameters.JobId),
  pinned: Schema.optional(Schema.Boolean),
  by: Schema.optional(Schema.String)
}).annotations({ identifier: "RemoveMany" })

const removeMany = HttpApiEndpoint.post("removeMany", "/jobs/remove")
  .setPayload(RemoveMany)
  .addSuccess(RemovedJobs)
  .addError(errorSchemas.NoSuchKind)
  .addError(errorSchemas.ShuttingDown)
  .annotateContext(
    described(
      "Remove the jobs of a kind that are over",
      "Removes jobs that match and that no job retries, each with the jobs that it retries, up to 200 in a request, from the newest on; repeat it with the value of last as before until last is missing. A body with nothing but a kind is refused: it needs a status, labels or q."
    )
  )

export const signal = HttpApiEndpoint.post("signal", "/jobs/:id/signals/:name")
  .setPath(Schema.Struct({ id: Parameters.JobId, name: Schema.String }))
  .setPayload(Schema.Struct({ payload: Schema.optional(Schema.Unknown), by: Schema.optional(Schema.String) }))
  .addSuccess(HttpApiSchema.NoContent)
  .addError(errorSchemas.InvalidSignal)
  .addError(errorSchemas.JobEnded)
  .addError(errorSchemas.JobNotFound)
  .addError(errorSchemas.TooManySignals)
  .annotateContext(
    described(
      "Send a signal to a job",
      "The signal is recorded with the job, and wakes it if it is parked for that signal. by: the name of the sender, which is not verified."
    )
  )

const Because = Schema.String.pipe(Schema.filter((text) => becauseProblem(text) ?? true))

export const Approve = Schema.Struct({
  /** The commit that the diff of the job shows as its `head`, or at least its first 7 digits. */
  commit: Schema.String.pipe(Schema.pattern(/^[0-9a-f]{7,64}$/)),
  by: Schema.optional(Schema.String)
}).annotations({ identifier: "Approve" })

export const Reject = Schema.Struct({
  /** As in an approval; without it, the one that waits. */
  commit: Schema.optional(Approve.fields.commit),
  /** The unit that continues with one more task; without it, the job fails. */
  unit: Schema.optional(Schema.String),
  because: Because,
  by: Schema.optional(Schema.String)
}).annotations({ identifier: "Reject" })

const approve = HttpApiEndpoint.post("approve", "/jobs/:id/approve")
  .setPath(JobPath)
  .setPayload(Approve)
  .addSuccess(HttpApiSchema.NoContent)
  .addError(errorSchemas.ApprovalRefused)
  .addError(errorSchemas.JobNotFound)
  .addError(errorSchemas.TooManySignals)
  .annotateContext(
    described(
      "Approve the result of a job",
      "A job with land: ask waits until a person has approved its result, parked.approval, and then lands. The approval names the commit: if the result is another one meanwhile, it is refused. To approve a commit again changes nothing."
    )
  )

const reject = HttpApiEndpoint.post("reject", "/jobs/:id/reject")
  .setPath(JobPath)
  .setPayload(Reject)
  .addSuccess(HttpApiSchema.NoContent)
  .addError(errorSchemas.ApprovalRefused)
  .addError(errorSchemas.JobNotFound)
  .addError(errorSchemas.TooManySignals)
  .annotateContext(
    described(
      "Reject the result of a job",
      "With a unit, the text is the prompt of one more task of that unit, and the job asks again when it is done. Without one, the job fails, and its work is kept."
    )
  )

export const Answer = Schema.Struct({
  /** The unit that waits for the answer; needed if several do. */
  unit: Schema.optional(Schema.String),
  /** Not empty, and at most 64 KiB long. */
  text: Schema.String.pipe(Schema.filter((text) => answerProblem(text) ?? true)),
  /** The name of the sender, which is not verified. */
  by: Schema.optional(Schema.String)
}).annotations({ identifier: "Answer" })

const answer = HttpApiEndpoint.post("answer", "/jobs/:id/answer")
  .setPath(JobPath)
  .setPayload(Answer)
  .addSuccess(Question)
  .addError(errorSchemas.AlreadyAnswered)
  .addError(errorSchemas.JobEnded)
  .addError(errorSchemas.JobNotFound)
  .addError(errorSchemas.NoOpenQuestion)
  .annotateContext(
    described(
      "Answer the question of an agent",
      "The unit continues with the answer at once, even if the job is parked. If several units wait for an answer, name one: NoOpenQuestion lists them. A question is answered once; a second answer is AlreadyAnswered."
    )
  )

const Sender = Schema.Struct({ by: Parameters.optional(Schema.String) })

export const pin = HttpApiEndpoint.post("pin", "/jobs/:id/pin")
  .setPath(JobPath)
  .setUrlParams(Sender)
  .addSuccess(HttpApiSchema.NoContent)
  .addError(errorSchemas.JobNotFound)
  .annotateContext(described("Pin a job", "Its record and logs are kept, regardless of the retention of its kind."))

export const unpin = HttpApiEndpoint.del("unpin", "/jobs/:id/pin")
  .setPath(JobPath)
  .setUrlParams(Sender)
  .addSuccess(HttpApiSchema.NoContent)
  .addError(errorSchemas.JobNotFound)
  .annotateContext(described("Unpin a job", "The retention of its kind applies to it again."))

export const Prune = Schema.Struct({
  /** Only jobs of this kind. */
  kind: Schema.optional(Schema.NonEmptyString),
  dryRun: Schema.optional(Schema.Boolean),
  by: Schema.optional(Schema.String)
}).annotations({ identifier: "Prune" })

const prune = HttpApiEndpoint.post("prune", "/jobs/prune")
  .setPayload(Prune)
  .addSuccess(Schema.Array(PrunedJobs))
  .addError(errorSchemas.NoSuchKind)
  .annotateContext(
    described(
      "Remove the finished jobs that retention no longer keeps",
      "The server does so by itself within 10 minutes. With dryRun, the response only lists what would be removed."
    )
  )

const kinds = HttpApiEndpoint.get("kinds", "/kinds")
  .addSuccess(Schema.Array(ServedKind))
  .annotateContext(
    described("List the kinds of jobs", "How many jobs of each run, may run and are pending, and which are paused.")
  )

const KindPath = Schema.Struct({ kind: Parameters.Kind })

const pause = HttpApiEndpoint.post("pause", "/kinds/:kind/pause")
  .setPath(KindPath)
  .setUrlParams(Sender)
  .addSuccess(HttpApiSchema.NoContent)
  .addError(errorSchemas.NoSuchKind)
  .annotateContext(
    described(
      "Pause a kind",
      "Once it responds, no job of the kind begins, on any node and over restarts, until the kind is unpaused: a start is KindPaused or, with whenFull: queue, pending; what becomes due waits. Running jobs continue. by: the name of the sender, which is not verified."
    )
  )

export const Limit = Schema.Struct({
  maxJobs: Schema.Union(Schema.Literal("default"), Schema.Int.pipe(Schema.between(1, 1_000_000))),
  by: Schema.optional(Schema.String)
}).annotations({ identifier: "Limit" })

const limit = HttpApiEndpoint.post("limit", "/kinds/:kind/limit")
  .setPath(KindPath)
  .setPayload(Limit)
  .addSuccess(HttpApiSchema.NoContent)
  .addError(errorSchemas.NoSuchKind)
  .addError(errorSchemas.ShuttingDown)
  .annotateContext(
    described(
      "Limit how many jobs of a kind run at once",
      "On one machine until the server restarts, in a cluster for all nodes together. A lower limit stops no job. maxJobs: a whole number, or default: that of the configuration."
    )
  )

const unpause = HttpApiEndpoint.del("unpause", "/kinds/:kind/pause")
  .setPath(KindPath)
  .setUrlParams(Sender)
  .addSuccess(HttpApiSchema.NoContent)
  .addError(errorSchemas.NoSuchKind)
  .annotateContext(described("Unpause a kind", "Jobs that wait begin again."))

const logs = HttpApiEndpoint.get("logs", "/jobs/:id/logs")
  .setPath(JobPath)
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
  .addError(errorSchemas.InvalidQuery)
  .addError(errorSchemas.JobNotFound)
  .addError(errorSchemas.LogNotFound)
  .addError(errorSchemas.ShuttingDown)
  .annotateContext(
    described(
      "Get the output of an agent or a gate",
      "The latest log of a task, or a file that an event names. from and to are offsets in bytes of the output; follow streams it until the task has ended, even beyond what the log file contains. A log on another node of a cluster is read there; if that node is gone, the response is a sentence that says so and the end of the log, as recorded."
    )
  )

const logFiles = HttpApiEndpoint.get("logFiles", "/jobs/:id/logs/files")
  .setPath(JobPath)
  .addSuccess(Schema.Array(JobLog))
  .addError(errorSchemas.JobNotFound)
  .annotateContext(
    described(
      "List the logs of a job",
      "The output of its agents, gates and setups, on all nodes of a cluster, by the time of the last write."
    )
  )

const diff = HttpApiEndpoint.get("diff", "/jobs/:id/diff")
  .setPath(JobPath)
  .setUrlParams(
    Schema.Struct({
      unit: Parameters.optional(Schema.String),
      task: Parameters.optional(Parameters.TaskNumber),
      after: Parameters.optional(Parameters.DiffPosition)
    })
  )
  .addSuccess(Diff)
  .addError(errorSchemas.DiffUnavailable)
  .addError(errorSchemas.InvalidQuery)
  .addError(errorSchemas.JobNotFound)
  .annotateContext(
    described(
      "Get the changes of a job",
      "The files that differ between the commit at which the job, or one of its units, started and its last commit so far; commits made on the target branch meanwhile are not included. With a task of a unit, the files that the commit of that task has changed. A page has about 4 MiB. Binary files, and files whose patch is larger than 1 MiB, are listed without a patch."
    )
  )

const withErrors = <Endpoints extends HttpApiEndpoint.HttpApiEndpoint.Any>(
  group: HttpApiGroup.HttpApiGroup<"charlotteJobs", Endpoints, never>
) =>
  group
    .addError(errorSchemas.Store)
    .addError(errorSchemas.StoreInvalid)
    .annotateContext(OpenApi.annotations({ title: "jobs", description: "Jobs and their records" }))

/** Adds all endpoints but `submit` and `land`, which come first if there are any. */
const jobs = <Endpoints extends HttpApiEndpoint.HttpApiEndpoint.Any>(
  group: HttpApiGroup.HttpApiGroup<"charlotteJobs", Endpoints, never>
) =>
  withErrors(
    group
      .add(list)
      .add(get)
      .add(steps)
      .add(step)
      .add(children)
      .add(exported)
      .add(stop)
      .add(stopAll)
      .add(resume)
      .add(reschedule)
      .add(retry)
      .add(retryMany)
      .add(remove)
      .add(removeMany)
      .add(signal)
      .add(approve)
      .add(reject)
      .add(answer)
      .add(pin)
      .add(unpin)
      .add(prune)
      .add(kinds)
      .add(pause)
      .add(unpause)
      .add(limit)
      .add(logs)
      .add(logFiles)
      .add(diff)
  )

const empty = HttpApiGroup.make("charlotteJobs")

/** Jobs of any kind. */
export const group = jobs(empty)

/** What the page in an application's own router has: no jobs of tasks, and nothing that concerns all jobs of a server. */
export const groupOfPage = withErrors(
  empty
    .add(list)
    .add(get)
    .add(step)
    .add(exported)
    .add(stop)
    .add(resume)
    .add(retry)
    .add(retryMany)
    .add(signal)
    .add(pin)
    .add(unpin)
)

/** The same with `submit` and `land`, for jobs with a `JobConfig`. */
export const groupWithSubmit = jobs(empty.add(submit).add(land))
