/**
 * One job while it is active: its place, its fiber, and its end.
 */
import { Cause, DateTime, type Duration, Effect, Exit, type Fiber, Option, Schema, Scope } from "effect"
import { MaxJobsReached, type StopTimedOut, type StoreError } from "../domain/errors.js"
import { stringify } from "../domain/Json.js"
import { EmittedEvent, lifecycle, whyNotEmitted } from "../domain/JobEvent.js"
import type { JobId } from "../domain/JobId.js"
import { Run } from "../domain/Run.js"
import type { StopReport } from "../domain/StopReport.js"
import type { Service as Store } from "../store/Port.js"
import type { Signal } from "../store/Signals.js"
import type { Closing } from "./Closing.js"
import type { Durable } from "./Durable.js"
import * as EventQueue from "./EventQueue.js"
import type { Interrupt } from "./Interruption.js"
import type { Fork } from "./JobFiber.js"
import type { Phase } from "./ManagedJob.js"
import * as Once from "./Once.js"
import type { JobContext, Service as Orchestrator } from "./Orchestrator.js"
import * as Outcome from "./Outcome.js"
import * as Permits from "./Permits.js"

export interface ActiveJob<out Config> {
  readonly id: JobId
  readonly config: Config
  readonly submission: unknown
  readonly fiber: Fiber.RuntimeFiber<unknown, unknown>
  /** Of what it emits; there is none before the first. */
  queue: EventQueue.EventQueue | undefined
  /** Completes last of all, when the permit is back. */
  readonly ended: Once.Once<Run>
  /** As it was last recorded. */
  run: Run
  phase: Phase
  /** What its end is has been decided, and is being recorded. */
  isDecided: boolean
  grace: Duration.Duration
  forced: boolean
  /** The stop that is under way; everybody who stops the job meanwhile waits for this one. */
  stop: Once.Once<StopReport, StopTimedOut | StoreError> | undefined
}

export interface Options<in out Config> {
  readonly maxJobs: number
  readonly stopGrace: Duration.Duration
  readonly store: Store
  readonly orchestrator: Orchestrator<Config>
  readonly closing: Closing
  readonly durable: Durable
  /** Runs a fiber that belongs to the manager and not to whoever called it. */
  readonly fork: (effect: Effect.Effect<void>) => unknown
  readonly forkJob: Fork
  readonly interrupt: Interrupt
  /** Rises whenever a permit is back. */
  readonly freed: Signal & { readonly unsafeWake: () => void }
  /** Rises whenever a job has ended and its permit is back. */
  readonly ended: Signal & { readonly unsafeWake: () => void }
}

/** What a job is launched with. */
export type Submitted<Config> = Pick<ActiveJob<Config>, "id" | "config" | "submission">

export interface ActiveJobs<in out Config> {
  /**
   * Takes a permit without waiting for one, admits the job, and starts it; returns once it is admitted or refused. The permit
   * is held until the job has ended and its record says so.
   */
  readonly launch: <E>(job: Submitted<Config>, admit: Effect.Effect<Run, E>) => Effect.Effect<void, E | MaxJobsReached>
  /** The active job of that id; one that is being admitted, or is giving its place back, is waited for. */
  readonly find: (id: JobId) => Effect.Effect<Option.Option<ActiveJob<Config>>>
  readonly all: Effect.Effect<ReadonlyArray<ActiveJob<Config>>>
  readonly count: Effect.Effect<number>
  /** Tells all of them to end, at the same time. */
  readonly interruptAll: Effect.Effect<void>
  /** Returns when no job holds a permit any more. */
  readonly none: Effect.Effect<void>
}

const isEmittable = Schema.is(EmittedEvent)

export const make = <Config>(options: Options<Config>): ActiveJobs<Config> => {
  const { closing, durable, ended, fork, forkJob, freed, interrupt, maxJobs, orchestrator, stopGrace, store } = options
  const jobs = new Map<JobId, ActiveJob<Config>>()
  const permits = Permits.make(maxJobs)
  // On their way in or out: what the record says of them, and what is here, do not agree for a moment.
  const inTransit = new Map<JobId, { readonly await: Effect.Effect<unknown, unknown> }>()

  const makeJob = (
    run: Run,
    { config, submission }: Submitted<Config>,
    fiber: Fiber.RuntimeFiber<unknown, unknown>
  ): ActiveJob<Config> => ({
    id: run.id,
    config,
    submission,
    fiber,
    ended: Once.make(),
    run,
    phase: "running",
    isDecided: false,
    grace: stopGrace,
    forced: false,
    stop: undefined,
    queue: undefined
  })

  const makeQueue = ({ run }: ActiveJob<Config>): EventQueue.EventQueue =>
    EventQueue.make({
      fork,
      write: (events) =>
        durable.persist(run.id, store.append({ jobId: run.id, attempt: run.attempt, events })).pipe(
          // Refused: the attempt is over, and whoever still emits for it comes too late.
          Effect.catchTag("Superseded", () => Effect.void),
          // Whatever it was: the job waits for its events before it ends, and it has to end.
          Effect.catchAllCause((cause) =>
            Effect.annotateLogs(Effect.logError(`events of job ${run.id} are lost`, cause), { jobId: run.id })
          )
        )
    })

  const makeContext = (job: ActiveJob<Config>): JobContext<Config> => ({
    id: job.id,
    config: job.config,
    submission: job.submission,
    attempt: job.run.attempt,
    get grace() {
      return job.grace
    },
    emit: (event) =>
      isEmittable(event)
        ? Effect.flatMap(DateTime.now, (at) =>
            (job.queue ??= makeQueue(job)).offer({
              at,
              type: event.type,
              unit: event.unit,
              task: event.task,
              payload: event.payload === undefined ? undefined : stringify(event.payload)
            })
          )
        : Effect.dieMessage(whyNotEmitted(event)),
    flush: Effect.suspend(() => job.queue?.flush ?? Effect.void),
    forced: Effect.sync(() => {
      job.forced = true
    })
  })

  const work = (job: ActiveJob<Config>): Effect.Effect<unknown, unknown, Scope.Scope> =>
    Effect.suspend(() => (closing.hasBegun() ? Effect.interrupt : orchestrator.run(makeContext(job))))

  /** The end of a job: all that it acquired and emitted, its outcome, and only then its place. */
  const settle = (
    job: ActiveJob<Config>,
    scope: Scope.CloseableScope,
    worked: Exit.Exit<unknown, unknown>
  ): Effect.Effect<void> =>
    Effect.gen(function* () {
      const exit = yield* released(scope, worked)
      if (job.queue !== undefined) yield* job.queue.flush
      const at = yield* DateTime.now
      // From here on a stop comes too late to be recorded: a job that was told to stop never ends as one that goes on.
      job.isDecided = true
      const outcome = Outcome.decide(exit, { stopping: job.phase === "stopping", closing: closing.hasBegun() })
      const { attempt, id } = job.run
      yield* durable.persist(id, store.record({ ...outcome, jobId: id, attempt, at }))
      job.run = withEnd(job.run, outcome, at)
    }).pipe(
      Effect.catchAllCause((cause) =>
        Effect.annotateLogs(
          Effect.logError(`the end of job ${job.id} is not recorded; the next manager will settle it`, cause),
          { jobId: job.id }
        )
      )
    )

  /** Its place, and then everybody who waits for its end. */
  const leave = (job: ActiveJob<Config>): void => {
    jobs.delete(job.id)
    permits.release()
    freed.unsafeWake()
    ended.unsafeWake()
    job.ended.done(Exit.succeed(job.run))
  }

  /**
   * Runs in a fiber that cannot be interrupted, but for the work. As few frames as can be: those around the work are kept in
   * memory for as long as it takes.
   */
  const live = (job: ActiveJob<Config>, scope: Scope.CloseableScope): Effect.Effect<void, never, Scope.Scope> => {
    const end = (exit: Exit.Exit<unknown, unknown>) =>
      Effect.map(Effect.exit(settle(job, scope, exit)), () => leave(job))
    return Effect.matchCauseEffect(Effect.interruptible(work(job)), {
      onFailure: (cause) => end(Exit.failCause(cause)),
      onSuccess: (value) => end(Exit.succeed(value))
    })
  }

  const launch: ActiveJobs<Config>["launch"] = <E>(submitted: Submitted<Config>, admit: Effect.Effect<Run, E>) =>
    Effect.flatMap(Scope.make(), (scope) =>
      Effect.async<void, E | MaxJobsReached>((resume) => {
        const { id } = submitted
        if (!permits.tryTake()) return resume(new MaxJobsReached({ maxJobs }))
        const admitted = Once.make<void, E>()
        admitted.whenDone(resume)
        const answer = (exit: Exit.Exit<void, E>): void => {
          // Another one that continues the same job may be on its way by now.
          if (inTransit.get(id) === admitted) inTransit.delete(id)
          admitted.done(exit)
        }

        inTransit.set(id, admitted)
        forkJob(
          id,
          scope,
          Effect.matchCauseEffect(admit, {
            onFailure: (cause) =>
              Effect.sync(() => {
                permits.release()
                freed.unsafeWake()
                answer(Exit.failCause(cause))
              }),
            onSuccess: (run) =>
              Effect.withFiberRuntime<void, never, Scope.Scope>((fiber) => {
                const job = makeJob(run, submitted, fiber)
                jobs.set(id, job)
                answer(Exit.void)
                return live(job, scope)
              })
          }).pipe(Effect.uninterruptible)
        )
      })
    ).pipe(Effect.uninterruptible)

  const find = (id: JobId): Effect.Effect<Option.Option<ActiveJob<Config>>> =>
    Effect.suspend(() => {
      const settled = inTransit.get(id)
      return settled === undefined
        ? Effect.succeed(Option.fromNullable(jobs.get(id)))
        : Effect.flatMap(Effect.exit(settled.await), () => find(id))
    })

  return {
    launch,
    find,
    all: Effect.sync(() => Array.from(jobs.values()).sort((a, b) => (a.id < b.id ? -1 : 1))),
    count: Effect.sync(() => jobs.size),
    interruptAll: Effect.suspend(() =>
      Effect.forEach([...jobs.values()], ({ fiber }) => interrupt(fiber), { discard: true })
    ),
    none: permits.none
  }
}

/** What the work came to once all that it acquired is released. */
const released = (
  scope: Scope.CloseableScope,
  worked: Exit.Exit<unknown, unknown>
): Effect.Effect<Exit.Exit<unknown, unknown>> =>
  Effect.matchCause(Scope.close(scope, worked), {
    onFailure: (cause) => Exit.failCause(Exit.isFailure(worked) ? Cause.sequential(worked.cause, cause) : cause),
    onSuccess: () => worked
  })

const withEnd = (run: Run, { error, result, type }: Outcome.Outcome, at: DateTime.Utc): Run =>
  new Run(
    {
      ...run,
      status: lifecycle[type],
      ...(type === "job.interrupted" ? {} : { endedAt: at }),
      ...(type === "job.completed" ? { result } : {}),
      ...(error === undefined ? {} : { error })
    },
    { disableValidation: true }
  )
