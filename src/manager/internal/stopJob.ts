/**
 * Stops a job. The interruption is the stop; the rest waits until the job is really over, and reports the outcome.
 */
import { Cause, Clock, Deferred, Duration, Effect, Fiber, Option, Ref } from "effect"
import { type StopError, StopTimedOut, StoreError } from "../../domain/errors.js"
import type { JobId } from "../../domain/JobId.js"
import type { Run } from "../../domain/Run.js"
import { isTerminal, type RunStatus } from "../../domain/RunStatus.js"
import { StopReport } from "../../domain/StopReport.js"
import * as race from "../../internal/race.js"
import * as runningTime from "../../internal/runningTime.js"
import { traced } from "../../internal/Tracing.js"
import type { Change } from "../../store/port/RunStoreService.js"
import type { Core, Stop } from "./Core.js"
import { interruptor } from "./JobOutcome.js"
import * as JobRegistry from "./JobRegistry.js"
import { reliableInterrupt } from "./reliableInterrupt.js"

/** How long an orchestrator may take to end after its grace period. */
export const afterGrace = Duration.seconds(1)

/** How long to wait for the record of the intent: a job can be stopped even on a full or locked disk. Its end is recorded later. */
const recordTimeout = Duration.seconds(1)

export const stopJob = <Config>(core: Core<Config>, id: JobId, stop: Stop): Effect.Effect<StopReport, StopError> =>
  Effect.gen(function* () {
    yield* core.store.outsideTransaction
    const begun = yield* Clock.currentTimeMillis
    for (let ifOver: IfOver = "alreadyEnded"; ; ifOver = "graceful") {
      const active = yield* JobRegistry.find(core.jobs, id)
      const report = Option.isSome(active)
        ? yield* stopActive(core, active.value, stop, { begun, ifOver })
        : yield* stopInactive(core, id, stop, { begun, ifOver })
      if (Option.isSome(report)) return report.value
    }
  }).pipe(traced("JobManager.stop"))

/** The mode of a job that is found to have ended: it had ended before the stop only if it had when the stop began. */
type IfOver = "alreadyEnded" | "graceful"

/** When a stop began, and its report if it now finds that the work of the job has ended. */
interface Since {
  readonly begun: number
  readonly ifOver: IfOver
}

const stopActive = <Config>(
  core: Core<Config>,
  active: JobRegistry.Admitted<Config>,
  stop: Stop,
  { begun, ifOver }: Since
) =>
  Effect.gen(function* () {
    const { job } = active
    const mode = active._tag === "Settling" ? ifOver : "graceful"
    // After an earlier stop has timed out, its grace period is over, and this stop gets a new one.
    const isSpent = yield* job.grace.isOver
    yield* Effect.uninterruptible(beginStop(core, job, stop))
    if (!isSpent) yield* job.grace.over
    if (!(yield* Deferred.isDone(job.ended))) {
      const left = isSpent ? Duration.sum(stop.grace, afterGrace) : afterGrace
      yield* race.first([Effect.asVoid(Deferred.await(job.ended)), runningTime.sleep(left)])
    }
    const run = yield* Deferred.poll(job.ended)
    if (Option.isSome(run)) return yield* reportEnd(core, job, yield* run.value, { begun, ifOver: mode })
    const problem = yield* core.persistRetry.problem(job.id)
    if (Option.isSome(problem)) return yield* problem.value
    return yield* new StopTimedOut({ jobId: job.id, elapsed: yield* since(begun) })
  })

/** The first stop interrupts, in a fiber of the manager, which outlives the caller. A later stop can only shorten the grace. */
const beginStop = <Config>(core: Core<Config>, job: JobRegistry.Job<Config>, { grace, sender }: Stop) =>
  Effect.gen(function* () {
    yield* job.grace.limit(grace)
    // It runs for a stop, and only a stop without any grace interrupts it.
    if (job.isStop && Duration.greaterThan(grace, Duration.zero)) return
    if (!(yield* JobRegistry.beginStop(core.jobs, job, core.retry !== undefined))) return
    yield* core.fork(recordAndInterrupt(core, job, { type: "job.stopping", sender }))
  })

/**
 * Records why it interrupts. The intent to stop is recorded first: after a crash, the next manager ends the job instead of continuing it. A slow store does not
 * delay the interruption for long.
 */
export const recordAndInterrupt = <Config>(
  core: Core<Config>,
  job: JobRegistry.Job<Config>,
  reason: Pick<Change, "limit" | "sender"> & { readonly type: "job.stopping" | "job.timeout" }
): Effect.Effect<void> =>
  Effect.gen(function* () {
    const { fiber, id: jobId, record } = job
    const interrupt = reliableInterrupt(fiber, interruptor)
    const warn = (cause: Cause.Cause<unknown>) =>
      Effect.annotateLogs(Effect.logWarning(`job ${jobId} is interrupted before ${reason.type} is recorded`, cause), {
        jobId
      })
    const late = yield* Effect.sleep(recordTimeout).pipe(
      Effect.zipRight(warn(Cause.fail("the store is slow"))),
      Effect.zipRight(interrupt),
      Effect.fork
    )
    const at = yield* core.store.now
    const { attempt } = yield* Ref.get(record)
    yield* core.store.record({ ...reason, jobId, attempt, at }).pipe(
      // The job has ended by itself, or is just ending.
      Effect.catchTag("Superseded", () => Effect.void),
      Effect.catchAllCause(warn)
    )
    yield* Fiber.interruptAsFork(late, interruptor)
    yield* interrupt
  })

/** None if the job has parked, or this node of a cluster has released it: it then has to be stopped where it is now. */
const reportEnd = <Config>(
  core: Core<Config>,
  job: JobRegistry.Job<Config>,
  { status }: Run,
  { begun, ifOver }: Since
) =>
  Effect.gen(function* () {
    if (status === "parked") return Option.none<StopReport>()
    if (!isTerminal(status)) {
      return (yield* core.shutdown.hasBegun) ? yield* closed(job.id, status) : Option.none<StopReport>()
    }
    if (status !== "cancelled" && ifOver === "alreadyEnded") {
      return Option.some(yield* report(job.id, begun, status, "alreadyEnded"))
    }
    return Option.some(
      yield* Option.match(yield* Ref.get(job.killed), {
        onNone: () => report(job.id, begun, status, "graceful"),
        onSome: (killed) => report(job.id, begun, status, "forced", killed.length === 0 ? undefined : killed)
      })
    )
  })

/**
 * Cancels a waiting run, which has nothing to interrupt, or makes it run for its stop. None if it has become active or has changed
 * meanwhile.
 */
const stopInactive = <Config>(
  core: Core<Config>,
  id: JobId,
  stop: Stop,
  { begun, ifOver }: Since
): Effect.Effect<Option.Option<StopReport>, StopError> =>
  Effect.gen(function* () {
    const run = yield* core.recordOf(id)
    const { attempt, status } = run
    // The end is recorded before the permit is free and the job leaves the registry; a stop returns after both.
    if (Option.isSome(yield* JobRegistry.get(core.jobs, id))) return Option.none()
    if (isTerminal(status)) return Option.some(yield* report(id, begun, status, ifOver))
    if (yield* core.shutdown.hasBegun) return yield* closed(id, status)
    if (status === "running" && Option.isSome(core.others))
      return yield* core.others.value.stop(run, { ...stop, begun })
    if (core.runsOnStop.includes(status) && run.waitsFor !== "key" && Duration.greaterThan(stop.grace, Duration.zero)) {
      yield* core.store.wake(id, "stop", stop.sender)
      return yield* awaitStopped(core, id, stop, begun)
    }
    const at = yield* core.store.now
    const ofWaiting = run.waitsFor !== undefined
    yield* core.store.record({ type: "job.cancelled", jobId: id, attempt, at, ofWaiting, sender: stop.sender })
    return Option.some(yield* report(id, begun, "cancelled", "graceful"))
  }).pipe(Effect.catchTag("Superseded", () => Effect.succeedNone))

/** Waits for the attempt of a run that was woken by its stop: for a permit at most the grace, and then as for any other attempt. */
const awaitStopped = <Config>(
  core: Core<Config>,
  id: JobId,
  stop: Stop,
  begun: number
): Effect.Effect<Option.Option<StopReport>, StopError> =>
  Effect.gen(function* () {
    const changes = yield* core.store.changes(id)
    while (true) {
      const version = yield* changes.version
      const active = yield* JobRegistry.find(core.jobs, id)
      if (Option.isSome(active)) return yield* stopActive(core, active.value, stop, { begun, ifOver: "graceful" })
      const { status } = yield* core.recordOf(id)
      if (isTerminal(status)) return Option.some(yield* report(id, begun, status, "graceful"))
      if (status === "running" && Option.isSome(core.others)) return Option.none()
      if (yield* core.shutdown.hasBegun) return yield* closed(id, status)
      const elapsed = yield* since(begun)
      if (Duration.greaterThanOrEqualTo(elapsed, stop.grace)) return yield* new StopTimedOut({ jobId: id, elapsed })
      yield* race.first([
        core.shutdown.orOver(changes.changed(version)),
        runningTime.sleep(Duration.subtract(stop.grace, elapsed))
      ])
    }
  }).pipe(Effect.scoped)

/** The job is left to the next manager. */
const closed = (id: JobId, status: RunStatus) =>
  new StoreError({
    operation: "stop a job",
    reason: "closed",
    cause: new Error(`the manager is closing; job ${id} stays ${status}`)
  })

const report = (
  jobId: JobId,
  begun: number,
  status: StopReport["status"],
  mode: StopReport["mode"],
  killed?: StopReport["killed"]
) =>
  Effect.map(
    since(begun),
    (elapsed) =>
      new StopReport(
        { jobId, status, mode, elapsed, ...(killed === undefined ? {} : { killed }) },
        { disableValidation: true }
      )
  )

export const since = (begun: number): Effect.Effect<Duration.Duration> =>
  Effect.map(Clock.currentTimeMillis, (now) => Duration.millis(Math.max(0, now - begun)))
