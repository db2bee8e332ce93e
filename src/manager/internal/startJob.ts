/**
 * Starts a job. The conditions that refuse or resolve a start are examined in a fixed order, and the first wins: shutdown, options,
 * pause and capacity if only an immediate start is requested, configuration, idempotency key, key, pause, group, permit, check; then one
 * transaction decides on keys, idempotency, the pause and the group again, and writes. For a start inside a transaction of the application see `startInTransaction`.
 */
import { Cause, Effect, Option } from "effect"
import {
  type IdempotencyKeyReused,
  InvalidJobConfig,
  JobConflict,
  KindPaused,
  type MaxJobsReached,
  type ShuttingDown,
  type StartError,
  type StoreError
} from "../../domain/errors.js"
import { parse } from "../../internal/Json.js"
import type { JobId } from "../../domain/JobId.js"
import { Run } from "../../domain/Run.js"
import { request } from "../../domain/StartOptions.js"
import * as Tracing from "../../internal/Tracing.js"
import { conflict, fullGroup, repeated } from "../../store/rules/admitRun.js"
import type { Created, NewRun } from "../../store/port/RunStoreService.js"
import type { Submitted as Checked } from "./admission.js"
import type { Core } from "./Core.js"
import { Elsewhere, launch } from "./jobLife.js"
import { traceOf } from "./jobSpan.js"
import * as JobRegistry from "./JobRegistry.js"
import { stopJob } from "./stopJob.js"
import {
  newRun,
  type Starting,
  submit,
  type Submission,
  type Submitted,
  type Submitting,
  unchecked
} from "./submission.js"

/** Why nothing was written. */
export type Refusal = StartError | StoreError

export type WriteError = Exclude<Refusal, KindPaused | MaxJobsReached | ShuttingDown>

export const startJob = <Config>(
  core: Core<Config>,
  starting: Starting<Config>,
  { input, options }: Submitted
): Effect.Effect<JobId, Refusal> =>
  Effect.gen(function* () {
    yield* core.shutdown.refuse
    const at = yield* core.store.now
    const requested = yield* request(options, { at, hasKey: starting.key !== undefined })
    const id = starting.nextId(at.epochMillis)
    const submitted = submit(starting, input, { id, at, requested, options })
    if (requested.isPlain) return yield* startNow(core, starting, { id, submitted })
    const submission = yield* submitted
    const decided = yield* decideByKeys(core, submission)
    if (decided !== "permit") return decided === "queue" ? yield* queue(core, starting, submission) : decided
    const otherwise = (refused: KindPaused | MaxJobsReached) => whenFull(core, starting, { submission, refused })
    const { group } = submission
    return yield* Effect.catchTags(startNow(core, starting, { id, submitted: Effect.succeed(submission), group }), {
      KindPaused: otherwise,
      MaxJobsReached: otherwise
    })
  }).pipe(Tracing.traced("JobManager.start"))

/**
 * Starts a job inside a transaction of the application: the run is one row of that transaction, and begins after the commit.
 * No permit is taken, and `check` is called when the run begins.
 */
export const startInTransaction = <Config>(
  core: Pick<Core<Config>, "kind" | "store">,
  starting: Submitting<Config>,
  { input, options }: Submitted
): Effect.Effect<JobId, WriteError> =>
  Effect.gen(function* () {
    const at = yield* core.store.now
    const requested = yield* request(options, { at, hasKey: starting.key !== undefined })
    const { whenKeyTaken } = requested
    if (whenKeyTaken === "attach" || whenKeyTaken === "replace") {
      const message = `cannot be ${whenKeyTaken} inside a transaction; use refuse or queue, or start the job outside`
      return yield* new InvalidJobConfig({ issues: [{ path: ["whenKeyTaken"], message }] })
    }
    const submission = yield* submit(starting, input, { id: starting.nextId(at.epochMillis), at, requested, options })
    const trace = traceOf(yield* Tracing.caller)
    const run = newRun(core, starting, submission, { ...unchecked, trace })
    return yield* core.store.outbox.insert(run)
  }).pipe(Tracing.traced("JobManager.start"))

/** A job that is just being admitted may hold the key, or be the run itself; then no permit is needed. */
const whenFull = <Config>(
  core: Core<Config>,
  starting: Starting<Config>,
  { refused, submission }: { readonly submission: Submission<Config>; readonly refused: KindPaused | MaxJobsReached }
): Effect.Effect<JobId, Refusal> =>
  Effect.gen(function* () {
    yield* JobRegistry.admitted(core.jobs)
    const decided = yield* decideByKeys(core, submission)
    if (decided !== "permit" && decided !== "queue") return decided
    if (decided === "permit" && submission.requested.whenFull === "refuse") return yield* refused
    return yield* queue(core, starting, submission)
  })

/** Records a run that waits, whether a permit is free or not. */
export const queueJob = <Config>(
  core: Core<Config>,
  starting: Starting<Config>,
  submission: Submission<Config>
): Effect.Effect<JobId, WriteError | ShuttingDown> =>
  Effect.flatMap(decideByKeys(core, submission), (decided) =>
    decided === "permit" || decided === "queue" ? queue(core, starting, submission) : Effect.succeed(decided)
  )

/**
 * Decides by two index reads: returns another run, or that this run waits, or that it needs a permit. It writes only the
 * idempotency key of a request that attaches, so that a repeated request gets the same run even after its end.
 */
export const decideByKeys = <Config>(
  { kind, store }: Core<Config>,
  { idempotency, requested, startKey }: Submission<Config>
): Effect.Effect<JobId | "queue" | "permit", JobConflict | IdempotencyKeyReused | StoreError> =>
  Effect.gen(function* () {
    if (idempotency !== undefined) {
      const known = yield* store.idempotent({ kind, key: idempotency.key })
      if (Option.isSome(known)) return (yield* repeated(known.value, idempotency)).id
    }
    if (startKey !== undefined) {
      const holder = yield* store.holder({ kind, of: "startKey", key: startKey })
      if (Option.isSome(holder)) {
        if (requested.whenKeyTaken === "refuse") return yield* conflict(startKey, holder.value)
        if (requested.whenKeyTaken !== "attach") return "queue"
        if (idempotency === undefined) return holder.value.id
        const attached = yield* store.attach({ to: { kind, of: "startKey", key: startKey }, idempotency })
        if (Option.isSome(attached)) return attached.value
      }
    }
    return requested.startAt === undefined ? "permit" : "queue"
  })

/** Begins the life of the job unless its kind is paused, if a permit is free and no other run waits for it. */
const startNow = <Config>(
  core: Core<Config>,
  starting: Starting<Config>,
  job: {
    readonly id: JobId
    readonly submitted: Effect.Effect<Submission<Config>, InvalidJobConfig>
    /** The group, if it is known before the configuration is decoded. */
    readonly group?: string | undefined
  }
): Effect.Effect<JobId, Refusal> =>
  Effect.gen(function* () {
    const { id } = job
    const { kind, store } = core
    if (yield* store.kinds.isPaused(kind)) return yield* new KindPaused({ kind })
    yield* mayBeginInGroup(core, job.group)
    const refusal = yield* starting.dispatcher.refusal
    if (Option.isSome(refusal)) return yield* refusal.value
    const caller = yield* Tracing.caller
    const trace = traceOf(caller)
    const prepare = Effect.gen(function* () {
      const submission = yield* job.submitted
      if (job.group === undefined) yield* mayBeginInGroup(core, submission.group)
      const checked = yield* starting.admission.check(submission.config)
      const run = newRun(core, starting, submission, { ...checked, trace })
      const commit = (traceOfSpan = trace) =>
        Effect.flatMap(create(core, { ...run, trace: traceOfSpan }, checked), (created) =>
          created._tag === "Running"
            ? Effect.succeed({ run: startedRun(run), isStop: false })
            : Effect.zipRight(stopReplaced(core, created), new Elsewhere({ id: idOf(created, id) }))
        )
      const { config } = submission
      return { config, submission: checked.submission && parse(checked.submission), attempt: 1, trace, commit }
    })
    yield* launch<Config, WriteError | KindPaused | MaxJobsReached | Elsewhere>(core, { id, prepare, caller })
    return id
  }).pipe(
    Effect.catchTags({
      AlreadyActive: Effect.die,
      Elsewhere: ({ id }) => Effect.succeed(id)
    })
  )

/** Fails if a new run of the group has to wait; the transaction that records the run decides. */
const mayBeginInGroup = <Config>(
  { kind, store }: Core<Config>,
  group: string | undefined
): Effect.Effect<void, MaxJobsReached | StoreError> =>
  group === undefined
    ? Effect.void
    : Effect.flatMap(store.groups.get(kind, group), (found) => fullGroup(group, found, { isNew: true }) ?? Effect.void)

/** Records the run as pending. The check needs no permit here. */
const queue = <Config>(
  core: Core<Config>,
  starting: Starting<Config>,
  submission: Submission<Config>
): Effect.Effect<JobId, WriteError | ShuttingDown> =>
  Effect.gen(function* () {
    const checked = yield* starting.admission.check(submission.config)
    yield* core.shutdown.refuse
    const trace = traceOf(yield* Tracing.caller)
    const run = newRun(core, starting, submission, { ...checked, trace })
    return yield* Effect.uninterruptible(
      Effect.flatMap(createQueued(core, run, checked), (created) =>
        Effect.as(stopReplaced(core, created), idOf(created, submission.id))
      )
    )
  })

/** Adds to a conflict the name of the check's key. */
export const named =
  ({ key, keyName }: Checked) =>
  <E>(error: E | JobConflict): E | JobConflict =>
    error instanceof JobConflict && error.key === key && keyName !== undefined
      ? new JobConflict({ ...error, keyName })
      : error

const create = <Config>({ store }: Core<Config>, run: NewRun, checked: Checked) =>
  Effect.mapError(store.create(run), named(checked))

/** A run that waits is refused neither by a pause nor by its group. */
export const createQueued = <Config>(core: Core<Config>, run: NewRun, checked: Checked) =>
  Effect.catchTags(create(core, { ...run, isQueued: true }, checked), {
    KindPaused: Effect.die,
    MaxJobsReached: Effect.die
  })

export const idOf = (created: Created, id: JobId): JobId => (created._tag === "Existing" ? created.id : id)

/** The record of a run that begins at once. */
export const startedRun = ({ at, config, id, kind, labels, priority = 0 }: NewRun): Run =>
  new Run(
    { id, kind, status: "running", attempt: 1, config, labels, priority, createdAt: at, startedAt: at },
    { disableValidation: true }
  )

/** Stops the jobs that a new one replaces, in fibers of the manager. The intent to stop them is recorded already. */
export const stopReplaced = <Config>(core: Core<Config>, created: Created): Effect.Effect<void> =>
  created._tag === "Pending"
    ? Effect.forEach(
        created.replaces,
        (id) =>
          core.fork(
            Effect.catchAll(stopJob(core, id, { grace: core.stopGrace }), (error) =>
              Effect.annotateLogs(Effect.logWarning(`job ${id} is being replaced`, Cause.fail(error)), { jobId: id })
            )
          ),
        { discard: true }
      )
    : Effect.void
