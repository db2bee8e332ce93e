/**
 * One job while it is active: its place, its fiber, and its end.
 */
import { DateTime, type Duration, Effect, Exit, type Fiber, HashMap, type Option, Ref, Schema, Scope } from "effect"
import { MaxJobsReached, type StopTimedOut, type StoreError } from "../domain/errors.js"
import { stringify } from "../domain/Json.js"
import { EmittedEvent, lifecycle } from "../domain/JobEvent.js"
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

export const make = <Config>(options: Options<Config>): Effect.Effect<ActiveJobs<Config>> =>
  Effect.gen(function* () {
    const { closing, durable, ended, fork, forkJob, freed, interrupt, maxJobs, orchestrator, stopGrace, store } =
      options
    const jobs = yield* Ref.make(HashMap.empty<JobId, ActiveJob<Config>>())
    const permits = Permits.make(maxJobs)
    // On their way in or out: what the record says of them, and what is here, do not agree for a moment.
    const inTransit = new Map<JobId, Effect.Effect<unknown>>()

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

    const flush = (job: ActiveJob<Config>) => Effect.suspend(() => job.queue?.flush ?? Effect.void)

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
          : Effect.dieMessage(
              `an orchestrator cannot emit ${stringify(event)}: it takes { type, unit?, task?, payload? }, and types that begin with job. are the manager's own`
            ),
      flush: flush(job),
      forced: Effect.sync(() => {
        job.forced = true
      })
    })

    const work = (job: ActiveJob<Config>, scope: Scope.CloseableScope): Effect.Effect<unknown, unknown, Scope.Scope> =>
      Effect.flatMap(closing.hasBegun, (closing) =>
        closing
          ? Effect.interrupt
          : Effect.onExit(orchestrator.run(makeContext(job)), (exit) => Scope.close(scope, exit))
      )

    /** The end of a job: all that it emitted, its outcome, and only then its place. */
    const settle = (job: ActiveJob<Config>, exit: Exit.Exit<unknown, unknown>): Effect.Effect<void> =>
      Effect.gen(function* () {
        yield* flush(job)
        const at = yield* DateTime.now
        const isClosing = yield* closing.hasBegun
        // From here on a stop comes too late to be recorded: a job that was told to stop never ends as one that goes on.
        job.isDecided = true
        const outcome = Outcome.decide(exit, { stopping: job.phase === "stopping", closing: isClosing })
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
    const leave = (job: ActiveJob<Config>): Effect.Effect<void> =>
      Effect.suspend(() => {
        inTransit.set(job.id, job.ended.await)
        return Effect.map(Ref.update(jobs, HashMap.remove(job.id)), () => {
          permits.release()
          freed.unsafeWake()
          inTransit.delete(job.id)
          ended.unsafeWake()
          job.ended.done(Exit.succeed(job.run))
        })
      })

    /** Runs in a fiber that cannot be interrupted, but for the work. */
    const live = (job: ActiveJob<Config>, scope: Scope.CloseableScope): Effect.Effect<void, never, Scope.Scope> =>
      Effect.exit(Effect.interruptible(work(job, scope))).pipe(
        Effect.flatMap((exit) => Effect.exit(settle(job, exit))),
        Effect.zipRight(leave(job))
      )

    const launch: ActiveJobs<Config>["launch"] = <E>(submitted: Submitted<Config>, admit: Effect.Effect<Run, E>) =>
      Effect.gen(function* () {
        const { id } = submitted
        if (!permits.tryTake()) return yield* new MaxJobsReached({ maxJobs })
        const scope = yield* Scope.make()
        const admitted = Once.make<void, E>()
        const arrival = Effect.exit(admitted.await)
        const answer = (exit: Exit.Exit<void, E>): void => {
          // Another one that continues the same job may be on its way by now.
          if (inTransit.get(id) === arrival) inTransit.delete(id)
          admitted.done(exit)
        }

        inTransit.set(id, arrival)
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
                return Effect.flatMap(Ref.update(jobs, HashMap.set(id, job)), () => {
                  answer(Exit.void)
                  return live(job, scope)
                })
              })
          }).pipe(Effect.uninterruptible)
        )
        yield* admitted.await
      }).pipe(Effect.uninterruptible)

    const find = (id: JobId): Effect.Effect<Option.Option<ActiveJob<Config>>> =>
      Effect.suspend(() => {
        const settled = inTransit.get(id)
        return settled === undefined
          ? Effect.map(Ref.get(jobs), HashMap.get(id))
          : Effect.flatMap(settled, () => find(id))
      })

    return {
      launch,
      find,
      all: Effect.map(Ref.get(jobs), (jobs) => Array.from(HashMap.values(jobs)).sort((a, b) => (a.id < b.id ? -1 : 1))),
      count: Effect.map(Ref.get(jobs), HashMap.size),
      interruptAll: Effect.flatMap(Ref.get(jobs), (jobs) =>
        Effect.forEach(HashMap.values(jobs), ({ fiber }) => interrupt(fiber), { discard: true })
      ),
      none: permits.none
    }
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
