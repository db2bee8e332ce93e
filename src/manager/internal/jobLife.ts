/**
 * The life of a job, from its permit to the waiters for its end:
 *
 * admit → register → run → decideOutcome → releaseResources → flushEvents → record → releasePermit → unregister → notify
 *
 * The life of a job is one uninterruptible fiber. The orchestrator runs in a separate fiber and scope, so that all it has
 * forked and acquired has ended before anything is recorded.
 */
import {
  Cause,
  Data,
  type DateTime,
  Deferred,
  Effect,
  type Exit,
  Fiber,
  identity,
  Option,
  Ref,
  type Scope,
  type Tracer
} from "effect"
import { MaxJobsReached, ShuttingDown } from "../../domain/errors.js"
import type { JobId } from "../../domain/JobId.js"
import type { Run, RunTrace } from "../../domain/Run.js"
import type { KilledProcess } from "../../domain/StopReport.js"
import * as Children from "./children.js"
import { continuesStop, type Core } from "./Core.js"
import * as EmitBuffer from "./EmitBuffer.js"
import { endAttempt } from "./endAttempt.js"
import * as Grace from "./Grace.js"
import { jobContext } from "./jobContext.js"
import * as jobSpan from "./jobSpan.js"
import * as JobOutcome from "./JobOutcome.js"
import * as JobRegistry from "./JobRegistry.js"
import * as JobScope from "./jobScope.js"
import { park } from "./park.js"
import * as Progress from "./progress.js"
import * as Retry from "./retry.js"
import { latestSignal } from "./signals.js"
import * as Steps from "./steps.js"
import * as timeLimit from "./timeLimit.js"
import { descendants, repeatInterruption } from "./reliableInterrupt.js"
import { writeEvents } from "./writeEvents.js"

/** A job to be admitted. */
export interface Admission<out Config, out E> {
  readonly id: JobId
  /** The status of a run that has waited for a permit. */
  readonly waited?: Run["status"]
  /** Decodes and checks the configuration; it can be interrupted, and leaves no trace. */
  readonly prepare: Effect.Effect<Prepared<Config, E>, E>
  /** The span that starts or resumes the job. */
  readonly caller: Option.Option<Tracer.AnySpan>
}

export interface Prepared<out Config, out E> {
  readonly config: Config
  readonly submission: unknown
  readonly attempt: number
  /** The recorded trace of a run that exists already. */
  readonly trace: RunTrace | undefined
  /** Commits the run and the event that begins its attempt, with the new part of its trace. */
  readonly commit: (trace: RunTrace | undefined) => Effect.Effect<Committed, E>
}

/** An attempt that begins. */
export interface Committed {
  readonly run: Run
  /** Whether it runs for the stop of a job that has waited. */
  readonly isStop: boolean
}

/** A job of that id is active, or is being admitted by another call. */
export class AlreadyActive extends Data.TaggedError("AlreadyActive") {}

/** The commit has not begun this job: the run waits, or another run existed before. */
export class Elsewhere extends Data.TaggedError("Elsewhere")<{ readonly id: JobId }> {}

type Refusal<E> = E | MaxJobsReached | ShuttingDown | AlreadyActive

/**
 * Begins the life of a job; returns when the job is admitted, or refused without leaving a trace. An interruption waits for
 * that, too.
 */
export const launch = <Config, E>(
  core: Core<Config>,
  admission: Admission<Config, E>
): Effect.Effect<void, Refusal<E>> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const answer = yield* Deferred.make<void, Refusal<E>>()
      const fiber = yield* core.forkJob(admission.id, life(core, admission, answer))
      yield* Effect.onInterrupt(restore(Deferred.await(answer)), () =>
        Effect.zipRight(interrupt(fiber), Effect.exit(Deferred.await(answer)))
      )
    })
  )

const interrupt = (fiber: Fiber.RuntimeFiber<unknown, unknown>): Effect.Effect<void> =>
  Fiber.interruptAsFork(fiber, JobOutcome.interruptor)

/** The effect that holds the permit returns the one to run once the permit is free. */
const life = <Config, E>(
  core: Core<Config>,
  admission: Admission<Config, E>,
  answer: Deferred.Deferred<void, Refusal<E>>
): Effect.Effect<void> => {
  let admitted = admit(core, admission, answer)
  return Effect.suspend(() => {
    const admit = admitted
    // Otherwise the fiber would keep what it was admitted with, 1 KB or more, for as long as the job runs.
    admitted = Effect.never
    return admit
  }).pipe(
    Effect.matchCauseEffect({
      onFailure: (cause) => Effect.succeed(refuse(core, answer, cause)),
      onSuccess: (job) => Effect.as(live(core, job), notify(core, job))
    }),
    core.permits.withPermitsIfAvailable(1),
    Effect.flatMap(
      Option.getOrElse(() =>
        Effect.flatMap(Ref.get(core.maxJobs), (maxJobs) =>
          Effect.asVoid(Deferred.fail(answer, new MaxJobsReached({ maxJobs })))
        )
      )
    )
  )
}

const admit = <Config, E>(
  core: Core<Config>,
  admission: Admission<Config, E>,
  answer: Deferred.Deferred<void, Refusal<E>>
): Effect.Effect<JobRegistry.Job<Config>, Refusal<E>> =>
  Effect.withFiberRuntime((fiber) =>
    Effect.gen(function* () {
      const { caller, id, prepare, waited } = admission
      const answered = Effect.exit(Deferred.await(answer))
      const isNew = yield* JobRegistry.add(core.jobs, {
        _tag: "Admitting",
        id,
        waited,
        answered,
        withdraw: interrupt(fiber)
      })
      if (!isNew) return yield* new AlreadyActive()
      return yield* Effect.gen(function* () {
        const checked = Option.match(caller, {
          onNone: () => prepare,
          onSome: (span) => Effect.withParentSpan(prepare, span)
        })
        const prepared = yield* Effect.interruptible(checked)
        yield* core.shutdown.refuse
        const span = yield* jobSpan.make({ ...prepared, caller, id, kind: core.kind })
        const lapses = yield* Ref.get(core.lapses)
        const committed = yield* prepared.commit(Option.getOrUndefined(span)?.trace)
        return yield* register(core, committed, prepared, { answer, lapses, span })
      }).pipe(Effect.tapErrorCause(() => JobRegistry.remove(core.jobs, id)))
    })
  )

const refuse = <Config, E>(
  core: Core<Config>,
  answer: Deferred.Deferred<void, Refusal<E>>,
  cause: Cause.Cause<Refusal<E>>
): Effect.Effect<void> =>
  Effect.gen(function* () {
    yield* core.permitFreed.wake
    const isClosing = Cause.isInterruptedOnly(cause) && (yield* core.shutdown.hasBegun)
    yield* isClosing ? Deferred.fail(answer, new ShuttingDown()) : Deferred.failCause(answer, cause)
  })

const register = <Config, E>(
  core: Core<Config>,
  { isStop, run: record }: Committed,
  { config, submission }: Prepared<Config, E>,
  {
    answer,
    lapses,
    span
  }: {
    readonly answer: Deferred.Deferred<void, Refusal<E>>
    /** The value of `core.lapses` before the commit. */
    readonly lapses: number
    readonly span: Option.Option<jobSpan.JobSpan>
  }
): Effect.Effect<JobRegistry.Job<Config>> =>
  Effect.gen(function* () {
    const { id } = record
    const ended = yield* Deferred.make<Run>()
    const grace = yield* Grace.make({ initial: core.stopGrace, fork: core.fork })
    const events = yield* EmitBuffer.make({
      write: writeEvents(core, record),
      fork: core.fork,
      beforeWait: core.store.outsideTransaction,
      closed: Effect.dieMessage(`the job ${id} has ended: what its attempt ${record.attempt} does now is not recorded`)
    })
    const killed = yield* Ref.make(Option.none<ReadonlyArray<KilledProcess>>())
    const scope = yield* JobScope.make
    const steps = Steps.make(core, record, events)
    const progress = Progress.make(core, record)
    const context = jobContext({
      run: record,
      config,
      submission,
      maxBytes: core.maxBytes,
      now: core.store.now,
      grace,
      events,
      killed,
      park: (options) => park(core, id, options),
      fail: (failure) => endAttempt(core, id, { _tag: "Failed", failure }),
      cancel: endAttempt(core, id, { _tag: "Cancelled" }),
      stopping: JobRegistry.isStopped(core.jobs, id),
      signal: (name) => latestSignal(core, id, name),
      steps,
      progress: progress.report,
      child: Children.make(core, record, steps)
    })
    // `run` is called in the job's fiber, so that a `run` that throws is a defect of the job.
    const run = jobSpan.within(span)(Effect.interruptible(Effect.suspend(() => core.run(context))))
    // The work waits for the answer, so that nothing of the job happens before it is registered.
    const fiber = yield* core.forkJob(id, work(core, id, Deferred.await(answer), run), scope.scope)
    const job = {
      id,
      config,
      record: yield* Ref.make(record),
      fiber,
      scope,
      events,
      progress,
      grace,
      killed,
      ended,
      isStop
    }
    yield* JobRegistry.run(core.jobs, job)
    // A shutdown or a lost lease during the commit, which is uninterruptible, has missed this job.
    if ((yield* core.shutdown.hasBegun) || (yield* Ref.get(core.lapses)) !== lapses) yield* interrupt(fiber)
    yield* Deferred.succeed(answer, undefined)
    return job
  })

/** Runs the work. Its exit decides the outcome, before its children have ended and its resources are released. */
const work = <Config>(
  core: Core<Config>,
  id: JobId,
  registered: Effect.Effect<void, unknown>,
  run: Effect.Effect<unknown, unknown, Scope.Scope>
): Effect.Effect<unknown, unknown, Scope.Scope> =>
  Effect.gen(function* () {
    yield* registered
    const exit = yield* Effect.exit(run)
    yield* JobRegistry.settle(core.jobs, id, exit, core.maxBytes)
    const children = yield* Effect.withFiberRuntime(descendants)
    if (children.length > 0) yield* core.fork(repeatInterruption(children, JobOutcome.interruptor))
  })

/** The job is settled when the orchestrator's fiber and all of its children have ended. */
const live = <Config>(core: Core<Config>, job: JobRegistry.Job<Config>): Effect.Effect<void> =>
  Effect.gen(function* () {
    yield* timeLimit.within(core, job, Fiber.await(job.fiber))
    yield* settle(core, job)
    yield* JobRegistry.end(core.jobs, job.id)
  })

const settle = <Config>(core: Core<Config>, job: JobRegistry.Job<Config>): Effect.Effect<void> =>
  Effect.gen(function* () {
    const { exit, isFinal, isStopped, outcome } = yield* JobRegistry.settled(core.jobs, job.id)
    const defect = yield* job.scope.close(exit)
    yield* job.events.close
    yield* job.progress.flush
    const ended = JobOutcome.withDefect(outcome, defect)
    const isOver = core.retry === undefined || (isFinal && !isStopped)
    const next = isOver ? ended : yield* retried(core.retry, job, ended, exit, core.store.now)
    // A failure that would be retried is no failure of the job: its stop has cancelled it.
    const isCancelled = isStopped && next.type !== ended.type
    yield* record(core, job, isCancelled ? { type: "job.cancelled", error: ended.error } : next)
  }).pipe(
    // The run has ended, or continues elsewhere.
    Effect.catchTag("Superseded", ({ attempt }) =>
      Effect.logWarning(
        `the outcome of attempt ${attempt} of job ${job.id} is not recorded: another process has ended the attempt`
      )
    ),
    Effect.catchAllCause((cause) =>
      Effect.logError(`the end of job ${job.id} is not recorded; the next manager will settle it`, cause)
    )
  )

const retried = <Config>(
  retry: Retry.Retry<unknown>,
  job: JobRegistry.Job<Config>,
  outcome: JobOutcome.Outcome,
  exit: Exit.Exit<unknown, unknown>,
  now: Effect.Effect<DateTime.Utc>
) => Effect.flatMap(Ref.get(job.record), ({ tries = 0 }) => Retry.orRetry(retry, tries, outcome, exit, now))

const record = <Config>(core: Core<Config>, job: JobRegistry.Job<Config>, outcome: JobOutcome.Outcome) =>
  Effect.gen(function* () {
    const at = yield* core.store.now
    const { attempt, id } = yield* Ref.get(job.record)
    const { asRecorded = identity, record } = core.store
    const change = { ...outcome, jobId: id, attempt, at, continuesStop: continuesStop(core) }
    const type = yield* core.persistRetry.persist(id, record(change))
    const { error, parked, result } = asRecorded(change)
    const recorded: JobOutcome.Outcome =
      type === outcome.type ? { ...outcome, error, parked, result } : { type: "job.cancelled", error }
    const progress = job.progress.recorded()
    yield* Ref.update(job.record, (run) => JobOutcome.recorded(progress ? { ...run, progress } : run, recorded, at))
  })

/**
 * Wakes the waiters for the permit, and for the end of the job. Until its permit is free the job stays registered, though no
 * longer active: a stop or an await that did not find it would return too early.
 */
const notify = <Config>(core: Core<Config>, job: JobRegistry.Job<Config>): Effect.Effect<void> =>
  Effect.gen(function* () {
    yield* JobRegistry.remove(core.jobs, job.id)
    yield* core.permitFreed.wake
    yield* core.jobEnded.wake
    yield* JobRegistry.notify(job)
  })
