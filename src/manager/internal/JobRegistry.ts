/**
 * The jobs that hold a permit or are just releasing it, each with its state.
 */
import { Clock, Context, Deferred, Duration, Effect, type Exit, type Fiber, HashMap, Option, Order, Ref } from "effect"
import type { JobId } from "../../domain/JobId.js"
import type { Progress, Run } from "../../domain/Run.js"
import type { KilledProcess } from "../../domain/StopReport.js"
import type { EmitBuffer } from "./EmitBuffer.js"
import type { Grace } from "./Grace.js"
import * as JobOutcome from "./JobOutcome.js"
import type { JobScope } from "./jobScope.js"

export type JobRegistry<Config> = Ref.Ref<HashMap.HashMap<JobId, ActiveJob<Config>>>

export type ActiveJob<Config> = Admitting | Admitted<Config>
export type Admitted<Config> = Running<Config> | Stopping<Config> | Ending<Config> | Settling<Config>

/** A job whose configuration is being checked, or whose first event is being committed. */
export interface Admitting {
  readonly _tag: "Admitting"
  readonly id: JobId
  /** The status of a run that has waited for its permit. */
  readonly waited: Run["status"] | undefined
  /** Completes when the job is admitted, or refused and removed. */
  readonly answered: Effect.Effect<unknown>
  /** Cancels the check; a commit that has begun is not interrupted. */
  readonly withdraw: Effect.Effect<void>
}

export interface Running<out Config> {
  readonly _tag: "Running"
  readonly job: Job<Config>
}

/** A job that is being stopped. */
export interface Stopping<out Config> {
  readonly _tag: "Stopping"
  readonly job: Job<Config>
  /** When it began to end, in milliseconds. */
  readonly since: number
}

/**
 * A job that has parked, has failed or cancelled itself, or has exceeded its time limit, and whose work is being interrupted. A stop
 * cancels a parked one once it is parked.
 */
export interface Ending<out Config> {
  readonly _tag: "Ending"
  readonly job: Job<Config>
  readonly since: number
  readonly end: JobOutcome.End
}

/** A job whose work has ended and whose outcome is decided; a stop comes too late. */
export interface Settling<out Config> {
  readonly _tag: "Settling"
  readonly job: Job<Config>
  readonly since: number
  readonly exit: Exit.Exit<unknown, unknown>
  readonly outcome: JobOutcome.Outcome
  readonly phase: "running" | "stopping"
  /** Whether a stop had begun. */
  readonly isStopped: boolean
  /** Whether a failure is final: of a job that was being stopped, or has failed for good. */
  readonly isFinal: boolean
  /** Whether the job is no longer active and only its permit is still to be released. */
  readonly isOver: boolean
}

/** A job that has been admitted. */
export interface Job<out Config> {
  readonly id: JobId
  readonly config: Config
  /** The record as it was last written. */
  readonly record: Ref.Ref<Run>
  /** Runs the orchestrator, and nothing else. */
  readonly fiber: Fiber.RuntimeFiber<unknown, unknown>
  /** Holds what the orchestrator acquires, and the fibers that it forks into it. */
  readonly scope: JobScope
  readonly events: EmitBuffer
  /** Records the newest progress, and returns what is recorded. */
  readonly progress: { readonly flush: Effect.Effect<void>; readonly recorded: () => Progress | undefined }
  readonly grace: Grace
  /** The killed processes; none unless something had to be killed. */
  readonly killed: Ref.Ref<Option.Option<ReadonlyArray<KilledProcess>>>
  /** Whether this attempt runs for the stop of a job that has waited. */
  readonly isStop: boolean
  /** Completes last, when the permit is free again, or when the manager has closed before the job ended. */
  readonly ended: Deferred.Deferred<Run>
}

const idOf = <Config>(active: ActiveJob<Config>): JobId => (active._tag === "Admitting" ? active.id : active.job.id)

export const phaseOf = (active: Admitted<unknown>): "running" | "stopping" =>
  active._tag === "Settling" ? active.phase : active._tag === "Running" && !active.job.isStop ? "running" : "stopping"

/** Adds a job that is being admitted; `false` if a job with that id is active already. */
export const add = <Config>(registry: JobRegistry<Config>, admitting: Admitting): Effect.Effect<boolean> =>
  Ref.modify(registry, (jobs) =>
    HashMap.has(jobs, admitting.id) ? [false, jobs] : [true, HashMap.set(jobs, admitting.id, admitting)]
  )

export const run = <Config>(registry: JobRegistry<Config>, job: Job<Config>): Effect.Effect<void> =>
  Ref.update(registry, HashMap.set<JobId, ActiveJob<Config>>(job.id, { _tag: "Running", job }))

export const hasTimedOut = <Config>(active: ActiveJob<Config>): active is Ending<Config> =>
  active._tag === "Ending" && active.end._tag === "TimedOut"

/** The jobs that have begun to end, and of which a fiber or a finalizer has run for longer than their grace since. */
export const overdue = <Config>(registry: JobRegistry<Config>): Effect.Effect<ReadonlyArray<JobId>> =>
  Effect.zipWith(all(registry), Clock.currentTimeMillis, (jobs, now) =>
    jobs.flatMap((active) =>
      "since" in active &&
      !active.job.scope.isClosed() &&
      now - active.since >= Duration.toMillis(active.job.grace.current())
        ? [active.job.id]
        : []
    )
  )

/** Whether its failure may still be retried, though its work has ended. */
const mayBeRetried = <Config>(active: ActiveJob<Config>): boolean =>
  active._tag === "Settling" && !active.isFinal && active.outcome.type === "job.failed"

/**
 * Marks a job as stopping if it is running, or has exceeded its time limit. Returns whether the intent to stop is to be recorded: it
 * also makes the end of an attempt that may be retried the end of its job.
 */
export const beginStop = <Config>(
  registry: JobRegistry<Config>,
  { id }: Job<Config>,
  isRetried: boolean
): Effect.Effect<boolean> =>
  modify(registry, (jobs, now) => {
    const active = Option.getOrUndefined(HashMap.get(jobs, id))
    if (isRetried && active !== undefined && mayBeRetried(active)) return [true, jobs]
    return active?._tag === "Running" || (active !== undefined && hasTimedOut(active))
      ? [true, HashMap.set(jobs, id, { _tag: "Stopping", job: active.job, since: now })]
      : [false, jobs]
  })

/** Changes the state of a job at a time, which costs one operation more than a change without one. */
const modify = <Config, A>(
  registry: JobRegistry<Config>,
  change: (
    jobs: HashMap.HashMap<JobId, ActiveJob<Config>>,
    now: number
  ) => [A, HashMap.HashMap<JobId, ActiveJob<Config>>]
): Effect.Effect<A> =>
  Effect.withFiberRuntime(({ currentDefaultServices }) => {
    const clock = Context.get(currentDefaultServices, Clock.Clock)
    return Ref.modify(registry, (jobs) => change(jobs, clock.unsafeCurrentTimeMillis()))
  })

/**
 * Fixes how a running job ends. Returns the job, and whether this is the first reason for its end: a stop or another end came before
 * otherwise. None if its work has ended.
 */
export const beginEnd = <Config>(
  registry: JobRegistry<Config>,
  id: JobId,
  end: JobOutcome.End
): Effect.Effect<Option.Option<{ readonly job: Job<Config>; readonly isFirst: boolean }>> =>
  modify(registry, (jobs, since) => {
    const active = Option.getOrUndefined(HashMap.get(jobs, id))
    if (active === undefined || active._tag === "Admitting" || active._tag === "Settling") return [Option.none(), jobs]
    const { job } = active
    if (active._tag !== "Running") return [Option.some({ job, isFirst: false }), jobs]
    return [Option.some({ job, isFirst: true }), HashMap.set(jobs, id, { _tag: "Ending", job, since, end })]
  })

/** Fixes the outcome of a job from the result of its work; nothing changes it afterwards. */
export const settle = <Config>(
  registry: JobRegistry<Config>,
  id: JobId,
  exit: Exit.Exit<unknown, unknown>,
  maxBytes: number
): Effect.Effect<void> =>
  modify(registry, (jobs, now) => {
    const active = Option.getOrUndefined(HashMap.get(jobs, id))
    if (active === undefined || active._tag === "Admitting" || active._tag === "Settling") return [undefined, jobs]
    const since = active._tag === "Running" ? now : active.since
    const phase = phaseOf(active)
    const isInterrupted = active._tag === "Stopping"
    const isStopped = isInterrupted || active.job.isStop
    const end = active._tag === "Ending" ? active.end : undefined
    const decided = JobOutcome.decide(exit, { stopping: isInterrupted, end, maxBytes })
    const outcome = active.job.isStop ? JobOutcome.ofStop(decided) : decided
    const isFinal = isStopped || end?._tag === "Failed"
    const settling = { job: active.job, since, exit, outcome, phase, isStopped, isFinal, isOver: false }
    return [undefined, HashMap.set(jobs, id, { _tag: "Settling", ...settling })]
  })

/** Whether a stop has begun before the work of a job ended. */
export const isStopped = <Config>(registry: JobRegistry<Config>, id: JobId): Effect.Effect<boolean> =>
  Effect.map(
    get(registry, id),
    Option.exists((active) => {
      if (active._tag === "Admitting") return false
      return active._tag === "Settling" ? active.isStopped : active._tag === "Stopping" || active.job.isStop
    })
  )

/** The state of a job whose work has ended, with its outcome. */
export const settled = <Config>(registry: JobRegistry<Config>, id: JobId): Effect.Effect<Settling<Config>> =>
  Effect.flatMap(get(registry, id), (found) =>
    Option.isSome(found) && found.value._tag === "Settling"
      ? Effect.succeed(found.value)
      : Effect.dieMessage(`the work of job ${id} has ended without an outcome`)
  )

/** Marks a job as no longer active while its permit is still held, so that there are never more active jobs than permits. */
export const end = <Config>(registry: JobRegistry<Config>, id: JobId): Effect.Effect<void> =>
  Ref.update(
    registry,
    HashMap.modify(id, (active) => (active._tag === "Settling" ? { ...active, isOver: true } : active))
  )

/** Wakes the waiters for the end of a job, and ends its grace period. */
export const notify = <Config>({ ended, grace, record }: Job<Config>): Effect.Effect<void> =>
  Effect.gen(function* () {
    yield* Deferred.succeed(ended, yield* Ref.get(record))
    yield* grace.end
  })

export const remove = <Config>(registry: JobRegistry<Config>, id: JobId): Effect.Effect<void> =>
  Ref.update(registry, HashMap.remove(id))

export const get = <Config>(
  registry: JobRegistry<Config>,
  id: JobId
): Effect.Effect<Option.Option<ActiveJob<Config>>> => Effect.map(Ref.get(registry), HashMap.get(id))

/** The job of that id, if it is registered; waits while it is being admitted. */
export const find = <Config>(
  registry: JobRegistry<Config>,
  id: JobId
): Effect.Effect<Option.Option<Admitted<Config>>> =>
  Effect.flatMap(get(registry, id), (found) => {
    if (Option.isNone(found)) return Effect.succeedNone
    const active = found.value
    return active._tag === "Admitting"
      ? Effect.zipRight(active.answered, find(registry, id))
      : Effect.succeedSome(active)
  })

/** Waits until all jobs that are being admitted now are admitted or refused. */
export const admitted = <Config>(registry: JobRegistry<Config>): Effect.Effect<void> =>
  Effect.flatMap(Ref.get(registry), (jobs) =>
    Effect.forEach(HashMap.toValues(jobs), (active) => (active._tag === "Admitting" ? active.answered : Effect.void), {
      discard: true
    })
  )

/** All registered jobs, oldest first. */
export const all = <Config>(registry: JobRegistry<Config>): Effect.Effect<ReadonlyArray<ActiveJob<Config>>> =>
  Effect.map(Ref.get(registry), (jobs) =>
    HashMap.toValues(jobs).sort(Order.mapInput(Order.string, (active: ActiveJob<Config>) => idOf(active)))
  )

export const ids = <Config>(registry: JobRegistry<Config>): Effect.Effect<ReadonlyArray<JobId>> =>
  Effect.map(all(registry), (active) => active.map(idOf))

/** Whether it holds a permit. */
export const isActive = (active: ActiveJob<unknown>): boolean => active._tag !== "Settling" || !active.isOver

/** The ids of the active jobs, oldest first. */
export const activeIds = <Config>(registry: JobRegistry<Config>): Effect.Effect<ReadonlyArray<JobId>> =>
  Effect.map(all(registry), (registered) => registered.filter(isActive).map(idOf))

/** How many permits are held, and how many of them by runs that are just beginning from one of those statuses. */
export const permits = <Config>(
  registry: JobRegistry<Config>,
  statuses: ReadonlyArray<Run["status"]>
): Effect.Effect<{ readonly held: number; readonly beginning: number }> =>
  Effect.map(Ref.get(registry), (jobs) => {
    const held = HashMap.toValues(jobs).filter(isActive)
    const beginning = held.filter((active) => active._tag === "Admitting" && statuses.some((s) => s === active.waited))
    return { held: held.length, beginning: beginning.length }
  })

export const isEmpty = <Config>(registry: JobRegistry<Config>): Effect.Effect<boolean> =>
  Effect.map(Ref.get(registry), HashMap.isEmpty)
