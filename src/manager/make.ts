/**
 * Puts a manager together of its parts.
 */
import { Clock, DateTime, Duration, Effect, Option, Runtime, type Scope } from "effect"
import {
  type AlreadyManaged,
  type InvalidJobConfig,
  JobNotFound,
  NotResumable,
  ShuttingDown,
  type StopTimedOut,
  type StoreError
} from "../domain/errors.js"
import { parse } from "../domain/Json.js"
import type { JobId } from "../domain/JobId.js"
import { Run } from "../domain/Run.js"
import { isTerminal } from "../domain/RunStatus.js"
import { StopReport } from "../domain/StopReport.js"
import { RunStore } from "../store/RunStore.js"
import { makeSignal } from "../store/Signals.js"
import * as ActiveJob from "./ActiveJob.js"
import * as Admission from "./Admission.js"
import * as Closing from "./Closing.js"
import * as Deadlines from "./Deadlines.js"
import * as Durable from "./Durable.js"
import * as EventStreams from "./EventStreams.js"
import * as Interruption from "./Interruption.js"
import * as JobFiber from "./JobFiber.js"
import * as JobIds from "./JobIds.js"
import type { ManagedJob } from "./ManagedJob.js"
import { recoveryError } from "./Outcome.js"
import * as Recovery from "./Recovery.js"
import type { MakeOptions, Service } from "./Service.js"
import * as Stop from "./Stop.js"
import { traced } from "./Traced.js"

export const make = <C, I>(
  options: MakeOptions<C, I>
): Effect.Effect<Service<C, I>, StoreError | AlreadyManaged, RunStore | Scope.Scope> =>
  makeWith(options, Admission.make(options.config, options.orchestrator))

/** The same, where it is known better what is admitted. */
export const makeWith = <C, I>(
  options: MakeOptions<C, I>,
  admission: Admission.Admission<C>
): Effect.Effect<Service<C, I>, StoreError | AlreadyManaged, RunStore | Scope.Scope> =>
  Effect.gen(function* () {
    const { kind, maxJobs = 10, orchestrator } = options
    if (!Number.isSafeInteger(maxJobs) || maxJobs < 1) {
      return yield* Effect.dieMessage(`maxJobs is a whole number, 1 or more, not ${maxJobs}`)
    }
    const stopGrace = Duration.decode(options.stopGrace ?? "5 seconds")
    const store = yield* RunStore
    const nextId = yield* JobIds.make
    const closing = yield* Closing.make
    const durable = yield* Durable.make(closing)
    const freed = makeSignal()
    const ended = makeSignal()

    // Fibers of the manager's own, as those of jobs are.
    const runFork = Runtime.runFork(yield* Effect.runtime())
    const fork = (effect: Effect.Effect<void>) => runFork(effect)

    const interrupt = yield* Interruption.make(fork)

    const forkJob = yield* JobFiber.make

    const jobs = ActiveJob.make({
      maxJobs,
      stopGrace,
      store,
      orchestrator,
      closing,
      durable,
      interrupt,
      fork,
      forkJob,
      freed,
      ended
    })

    /** The record of a run of this manager's kind. */
    const recordOf = (id: JobId): Effect.Effect<Run, JobNotFound | StoreError> =>
      Effect.flatMap(
        store.get(id),
        Option.match({
          onNone: () => new JobNotFound({ jobId: id }),
          onSome: (run) => (run.kind === kind ? Effect.succeed(run) : new JobNotFound({ jobId: id }))
        })
      )

    const stop = Stop.make({
      store,
      recordOf,
      jobs,
      closing,
      durable,
      interrupt,
      fork,
      deadlines: Deadlines.make(fork)
    })
    const streams = EventStreams.make({ kind, store, closing })

    const owner = yield* Recovery.claim(store, kind, nextId(yield* Clock.currentTimeMillis))
    // While a job of this process has not ended, no other manager may continue it.
    yield* Effect.addFinalizer(() =>
      Effect.flatMap(jobs.count, (active) => (active === 0 ? Recovery.release(store, owner) : Effect.void))
    )
    const interrupted = yield* Recovery.takeOver({ kind, store, orchestrator })

    const refuseWhenClosing = Effect.suspend(() => (closing.hasBegun() ? new ShuttingDown() : Effect.void))

    const start: Service<C, I>["start"] = Effect.fnUntraced(function* (input) {
      yield* store.outsideTransaction
      yield* refuseWhenClosing
      const { config, encoded, key, submission } = yield* admission.submitted(input)
      const at = yield* DateTime.now
      const id = nextId(at.epochMillis)
      const labels = options.labels?.(config) ?? {}
      const run = new Run(
        { id, kind, status: "running", attempt: 1, config: encoded, labels, createdAt: at, startedAt: at },
        { disableValidation: true }
      )
      const admit = Effect.as(store.create({ id, kind, key, config: encoded, labels, submission, at }), run)
      yield* jobs.launch({ id, config, submission: submission === undefined ? undefined : parse(submission) }, admit)
      return id
    }, traced("JobManager.start"))

    /** A run that cannot be continued has failed. */
    const giveUp = (run: Run, { message }: InvalidJobConfig) =>
      Effect.gen(function* () {
        const { attempt, id: jobId } = run
        const at = yield* DateTime.now
        yield* store.record({ type: "job.failed", jobId, attempt, at, error: recoveryError(message) })
        return yield* new NotResumable({ jobId, status: "failed", reason: message })
      })

    const resume: Service<C, I>["resume"] = Effect.fn("JobManager.resume")(function* (id) {
      yield* store.outsideTransaction
      yield* refuseWhenClosing
      if (Option.isSome(yield* jobs.find(id))) return yield* new NotResumable({ jobId: id, status: "running" })
      const run = yield* recordOf(id)
      if (run.status !== "interrupted") return yield* new NotResumable({ jobId: id, status: run.status })

      const continued = Effect.gen(function* () {
        const submission = Option.getOrUndefined(yield* store.submission(id))
        const admitted = yield* Effect.either(admission.recorded(run.config, submission))
        if (admitted._tag === "Left") return yield* giveUp(run, admitted.left)
        const { config, key } = admitted.right
        const attempt = run.attempt + 1
        const at = yield* DateTime.now
        const admit = Effect.as(
          store.resume({ jobId: id, attempt, key, at }),
          new Run({ ...run, status: "running", attempt, startedAt: at }, { disableValidation: true })
        )
        yield* jobs.launch({ id, config, submission }, admit)
      })
      // Somebody else has continued or cancelled it meanwhile.
      yield* Effect.catchTag(continued, "Superseded", () =>
        Effect.flatMap(recordOf(id), ({ status }) => new NotResumable({ jobId: id, status }))
      )
    })

    const awaitEnd = (id: JobId): Effect.Effect<Run, JobNotFound | StoreError> =>
      Effect.flatMap(jobs.find(id), Option.match({ onNone: () => awaitRecord(id), onSome: ({ ended }) => ended.await }))

    /** Of a job that is not active here, and may become so. */
    const awaitRecord = (id: JobId): Effect.Effect<Run, JobNotFound | StoreError> =>
      Effect.gen(function* () {
        const signal = yield* store.changes(id)
        const version = yield* signal.version
        const run = yield* recordOf(id)
        if (isTerminal(run.status) || (yield* closing.isOver)) return run
        yield* closing.orOver(signal.changed(version))
        return yield* awaitEnd(id)
      }).pipe(Effect.scoped)

    const service: Service<C, I> = {
      start,
      resume,
      stop: (id, { grace = stopGrace } = {}) =>
        traced("JobManager.stop")(
          Effect.zipRight(
            store.outsideTransaction,
            Effect.suspend(() => stop.stop(id, Duration.decode(grace)))
          )
        ),
      stopAll: Effect.suspend(() => stopAll),
      get: (id) => Effect.map(jobs.find(id), Option.map(managed)),
      list: Effect.map(jobs.all, (all) => all.map(({ id }) => id)),
      activeCount: jobs.count,
      await: (id) => traced("JobManager.await")(Effect.zipRight(store.outsideTransaction, awaitEnd(id))),
      events: (id, { after = 0 } = {}) => streams.ofJob(id, after),
      allEvents: ({ after = 0 } = {}) => streams.ofAll(after),
      health: durable.health
    }

    const managed = ({ config, id, phase, run }: ActiveJob.ActiveJob<C>): ManagedJob<C> => ({
      id,
      config,
      attempt: run.attempt,
      startedAt: run.startedAt ?? run.createdAt,
      phase,
      events: (options) => service.events(id, options),
      stop: (options) => service.stop(id, options),
      await: service.await(id)
    })

    const isInterrupted = (id: JobId): Effect.Effect<boolean> =>
      Effect.map(recordOf(id), ({ status }) => status === "interrupted").pipe(Effect.orElseSucceed(() => true))

    const continuation = yield* Recovery.makeContinuation({ interrupted, resume, isInterrupted, freed, ended })

    /** What came of one of many; none if there was no such job after all. */
    const reported = <E extends StopTimedOut | JobNotFound | StoreError>(
      id: JobId,
      outcome: Effect.Effect<StopReport, E>
    ): Effect.Effect<Option.Option<StopReport>> =>
      Effect.catchAll(Effect.map(outcome, Option.some), (error) =>
        error._tag === "JobNotFound"
          ? Effect.succeedNone
          : Effect.as(
              Effect.annotateLogs(Effect.logWarning(error.message), { jobId: id }),
              Option.some(
                new StopReport({
                  jobId: id,
                  status: "running",
                  mode: "timedOut",
                  elapsed: Duration.sum(stopGrace, Stop.afterGrace)
                })
              )
            )
      )

    const stopAll = Effect.gen(function* () {
      yield* store.outsideTransaction
      const waiting = yield* continuation.waiting
      // Each has a fiber of the manager's by then: to wait for them one after another takes no longer, and no more fibers.
      const begun = [
        ...(yield* Effect.forEach(waiting, (id) =>
          Effect.map(stop.beginWaiting(id, stopGrace), (outcome) => reported(id, outcome.await))
        )),
        ...(yield* Effect.forEach(yield* jobs.all, (job) =>
          Effect.map(stop.begin(job, stopGrace), (outcome) => reported(job.id, outcome.await))
        ))
      ]
      return yield* Effect.all(begun)
    }).pipe(
      Effect.map((reports) => reports.flatMap(Option.toArray)),
      Effect.withSpan("JobManager.stopAll")
    )

    if (options.recovery !== "manual") yield* Effect.forkScoped(continuation.run)

    // Added last, so that it runs first: the jobs end before anything that they use.
    yield* Effect.addFinalizer(() =>
      Effect.gen(function* () {
        yield* closing.begin
        yield* jobs.interruptAll
        if (!(yield* closing.withinDeadline(jobs.none, Duration.sum(stopGrace, Stop.afterGrace)))) {
          yield* Effect.logWarning(
            "jobs have not ended in time; they go on once this process is gone and the next manager begins"
          )
        }
        const { healthy } = yield* durable.health
        yield* closing.end
        // Those that only waited to be recorded give up now, and leave.
        if (!healthy) yield* closing.withinDeadline(jobs.none, Stop.afterGrace)
      })
    )

    return service
  })
