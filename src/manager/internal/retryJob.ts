/**
 * Retries a run that has ended: a new run with its recorded configuration, labels, priority and keys waits for a permit. Nothing is
 * written to the run that has ended, whose unique reference in the new run makes a repeated call return that run.
 */
import { type DateTime, Effect, Option, Stream } from "effect"
import {
  type IdempotencyKeyReused,
  type InvalidJobConfig,
  type JobConflict,
  NotRetryable,
  type QueueFull,
  type RetryError,
  type ShuttingDown,
  type StoreError
} from "../../domain/errors.js"
import type { JobId } from "../../domain/JobId.js"
import type { Run } from "../../domain/Run.js"
import * as Sender from "../../domain/Sender.js"
import { isTerminal } from "../../domain/RunStatus.js"
import { request, type StartOptions } from "../../domain/StartOptions.js"
import { isWorkflow } from "../../domain/workflowKind.js"
import { withoutIdempotencyKey } from "../../domain/withoutIdempotencyKey.js"
import * as Tracing from "../../internal/Tracing.js"
import type { RetryOptions, RetryProgress, RetryQuery } from "../JobManagerService.js"
import type { NewRun } from "../../store/port/RunStoreService.js"
import type { Admission, Submitted as Checked } from "./admission.js"
import type { Core } from "./Core.js"
import { eachMatching, refusals } from "./eachMatching.js"
import { traceOf } from "./jobSpan.js"
import { newRun, submit, type Submission, type Submitting } from "./submission.js"

/** What a manager or a producer retries with. */
export interface Retrying<in out Config> extends Pick<Core<Config>, "kind" | "store" | "shutdown" | "recordOf"> {
  /** Records the new run, which waits, and returns its id or the id of the run that retries it already. */
  readonly record: (
    run: NewRun,
    checked: Checked
  ) => Effect.Effect<JobId, JobConflict | QueueFull | IdempotencyKeyReused | StoreError>
}

/** What is known of a start when a run is retried. */
export interface Starting<Config> extends Submitting<Config> {
  readonly admission: Pick<Admission<Config>, "check" | "decode" | "decodeRecorded">
}

export const retryJob = <Config>(
  core: Retrying<Config>,
  starting: Starting<Config>,
  id: JobId,
  options: RetryOptions = {}
): Effect.Effect<JobId, RetryError> =>
  Effect.gen(function* () {
    yield* core.store.outsideTransaction
    yield* core.shutdown.refuse
    return yield* retryRun(core, starting, yield* core.recordOf(id), options)
  }).pipe(Tracing.traced("JobManager.retry"))

const retryRun = <Config>(
  core: Retrying<Config>,
  starting: Starting<Config>,
  recorded: Run,
  { again = false, by, fresh = false }: RetryOptions
): Effect.Effect<JobId, RetryError> =>
  Effect.gen(function* () {
    const run = withoutIdempotencyKey(recorded)
    const { id: jobId, retriedAs, status } = run
    if (retriedAs !== undefined) return retriedAs
    if (!isTerminal(status)) return yield* new NotRetryable({ jobId, status })
    if (isWorkflow(run.kind)) {
      const reason = "it is the execution of a workflow, whose key is taken; execute the workflow with another key"
      return yield* new NotRetryable({ jobId, status, reason })
    }
    if (status === "completed" && !again) {
      return yield* new NotRetryable({
        jobId,
        status,
        reason: "it is completed, and is done once more only with again"
      })
    }
    const retryOf = { id: jobId, fresh }
    const { checked, submission } = yield* resubmit(core, starting, run, retryOf).pipe(
      Effect.catchTag("InvalidJobConfig", ({ message }) => new NotRetryable({ jobId, status, reason: message }))
    )
    yield* core.shutdown.refuse
    const trace = traceOf(yield* Tracing.caller)
    const sender = yield* Sender.current(by)
    const next = {
      ...newRun(core, starting, { ...submission, retryOf }, { ...checked, trace }),
      isQueued: true,
      sender
    }
    return yield* Effect.uninterruptible(core.record(next, checked))
  }).pipe(
    // There is no idempotency key.
    Effect.catchTag("IdempotencyKeyReused", Effect.die)
  )

/** What the new run is recorded with. A kind whose jobs take over the work of another submits a configuration that refers to it. */
const resubmit = <Config>(
  core: Retrying<Config>,
  starting: Starting<Config>,
  run: Run,
  retryOf: NonNullable<Submission<Config>["retryOf"]>
): Effect.Effect<
  { readonly submission: Submission<Config>; readonly checked: Checked },
  InvalidJobConfig | NotRetryable | StoreError
> =>
  Effect.gen(function* () {
    const { id: jobId, labels, priority, status } = run
    const at: DateTime.Utc = yield* core.store.now
    const id = starting.nextId(at.epochMillis)
    const config = yield* Effect.mapError(
      starting.admission.decodeRecorded(run.config),
      ({ field, issue }) => new NotRetryable({ jobId, status, field, reason: issue })
    )
    const { key, startKey } = yield* core.store.ownKeys(jobId)
    const options: StartOptions = { whenFull: "queue", priority, key: startKey }
    const requested = yield* request(options, { at, hasKey: false })
    if (starting.retries === undefined) {
      const submission = {
        config,
        encoded: run.config,
        id,
        at,
        labels,
        requested,
        startKey,
        group: run.group,
        idempotency: undefined,
        retryOf
      }
      return { submission, checked: { key, keyName: undefined, title: undefined, submission: undefined } }
    }
    const input = starting.retries.config(config, retryOf)
    const submission = yield* submit(starting, input, { id, at, requested, options })
    return { submission, checked: yield* starting.admission.check(submission.config) }
  })

const statuses = ["failed", "cancelled"] as const

/** Retries the failed and cancelled runs that match and that no run retries yet, from the newest on. */
export const retryMany = <Config>(
  core: Retrying<Config>,
  starting: Starting<Config>,
  { by, fresh, ...query }: RetryQuery
): Stream.Stream<RetryProgress, StoreError | ShuttingDown> => {
  /** Why a run is not retried. */
  const refusalOf = (run: Run) =>
    retryRun(core, starting, run, { by, fresh }).pipe(
      Effect.as(Option.none<Error>()),
      Effect.catchTags({
        JobConflict: (error) => Effect.succeedSome(error),
        JobNotFound: (error) => Effect.succeedSome(error),
        NotRetryable: (error) => Effect.succeedSome(error),
        QueueFull: (error) => Effect.succeedSome(error)
      })
    )
  return Stream.map(
    eachMatching(core, query, { verb: "retry", statuses, act: (runs) => refusals(runs, refusalOf) }),
    ({ done: retried, ...progress }) => ({ retried, ...progress })
  )
}
