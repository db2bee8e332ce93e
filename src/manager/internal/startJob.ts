/**
 * Starting a job, and continuing an interrupted one: both pass through `launch`, with a row of their own to commit.
 */
import { Cause, Effect, Option, Tracer } from "effect"
import {
  type InvalidJobConfig,
  JobConflict,
  type JobNotFound,
  type MaxJobsReached,
  NotResumable,
  type ShuttingDown,
  type StoreError,
  type Superseded
} from "../../domain/errors.js"
import { parse } from "../../internal/Json.js"
import type { JobId } from "../../domain/JobId.js"
import { labelProblem } from "../../domain/labels.js"
import { Run } from "../../domain/Run.js"
import { traced } from "../../internal/Tracing.js"
import type { Admission } from "./admission.js"
import type { Core } from "./Core.js"
import type { JobIdGenerator } from "./JobIdGenerator.js"
import { launch } from "./jobLife.js"
import { recoveryError } from "./JobOutcome.js"
import * as JobRegistry from "./JobRegistry.js"
import { now } from "../../internal/now.js"

type StartError = JobConflict | InvalidJobConfig | StoreError
type ResumeError = JobConflict | NotResumable | Superseded | StoreError

export const startJob = <Config>(
  core: Core<Config>,
  options: {
    readonly admission: Admission<Config>
    readonly nextId: JobIdGenerator
    readonly labels: (config: Config) => { readonly [name: string]: string }
  },
  input: unknown
): Effect.Effect<JobId, MaxJobsReached | JobConflict | InvalidJobConfig | ShuttingDown | StoreError> =>
  Effect.gen(function* () {
    const { kind, store } = core
    yield* store.outsideTransaction
    yield* core.shutdown.refuse
    const at = yield* now
    const id = options.nextId(at.epochMillis)

    const prepare = Effect.gen(function* () {
      const { config, encoded, key, keyName, submission } = yield* options.admission.submitted(input)
      const labels = options.labels(config)
      const problem = labelProblem(labels)
      if (problem !== undefined) return yield* problem
      const run = new Run(
        { id, kind, status: "running", attempt: 1, config: encoded, labels, createdAt: at, startedAt: at },
        { disableValidation: true }
      )
      const create = store.create({ id, kind, key, config: encoded, labels, submission, at })
      const commit = Effect.as(naming(keyName, create), run)
      return { config, submission: submission === undefined ? undefined : parse(submission), commit }
    })

    const caller = yield* Effect.serviceOption(Tracer.ParentSpan)
    yield* Effect.catchTag(launch<Config, StartError>(core, { id, prepare, caller }), "AlreadyActive", Effect.die)
    return id
  }).pipe(traced("JobManager.start"))

export const resumeJob = <Config>(
  core: Core<Config>,
  admission: Admission<Config>,
  id: JobId
): Effect.Effect<void, JobNotFound | NotResumable | MaxJobsReached | JobConflict | ShuttingDown | StoreError> =>
  Effect.gen(function* () {
    const { store } = core
    yield* store.outsideTransaction
    yield* core.shutdown.refuse
    if (Option.isSome(yield* JobRegistry.find(core.jobs, id))) {
      return yield* new NotResumable({ jobId: id, status: "running" })
    }
    const run = yield* core.recordOf(id)
    if (run.status !== "interrupted") return yield* new NotResumable({ jobId: id, status: run.status })

    const prepare = Effect.gen(function* () {
      const submission = Option.getOrUndefined(yield* store.submission(id))
      const { config, key, keyName } = yield* Effect.catchAllCause(
        admission.recorded(run.config, submission),
        (cause) => endUnresumable(core, run, cause)
      )
      const attempt = run.attempt + 1
      const at = yield* now
      const commit = Effect.as(
        naming(keyName, store.resume({ jobId: id, attempt, key, at })),
        new Run({ ...run, status: "running", attempt, startedAt: at }, { disableValidation: true })
      )
      return { config, submission, commit }
    })

    const caller = yield* Effect.serviceOption(Tracer.ParentSpan)
    yield* Effect.catchTags(launch<Config, ResumeError>(core, { id, prepare, caller }), {
      // Another call continues or cancels it, or has just done so.
      AlreadyActive: () => resumeJob(core, admission, id),
      Superseded: () => Effect.flatMap(core.recordOf(id), ({ status }) => new NotResumable({ jobId: id, status }))
    })
  }).pipe(traced("JobManager.resume"))

/** Adds to a conflict what its key stands for. */
const naming = <A, E>(keyName: string | undefined, effect: Effect.Effect<A, E>): Effect.Effect<A, E | JobConflict> =>
  Effect.catchIf(
    effect,
    (error) => error instanceof JobConflict,
    ({ jobId, key }) => new JobConflict({ jobId, key, ...(keyName !== undefined && { keyName }) })
  )

/** A run whose configuration no longer decodes, or that its check refuses or cannot check, has failed. */
const endUnresumable = <Config>(
  core: Core<Config>,
  run: Run,
  cause: Cause.Cause<InvalidJobConfig>
): Effect.Effect<never, NotResumable | Superseded | StoreError> =>
  Effect.gen(function* () {
    if (Cause.isInterruptedOnly(cause)) return yield* Effect.interrupt
    const { attempt, id: jobId } = run
    const reason = Option.match(Cause.failureOption(cause), {
      onNone: () => "its check has died",
      onSome: ({ message }) => message
    })
    const at = yield* now
    const error = recoveryError(reason, Cause.isDie(cause) ? cause : Cause.empty)
    yield* core.store.record({ type: "job.failed", jobId, attempt, at, error })
    return yield* new NotResumable({ jobId, status: "failed", reason })
  })
