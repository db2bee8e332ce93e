/**
 * Stopping a job. Interruption is the stop; the rest is waiting until it is really over, and saying what came of it.
 */
import { Cause, Clock, DateTime, Duration, Effect, Exit, Option } from "effect"
import { type JobNotFound, StopTimedOut, StoreError, Superseded } from "../domain/errors.js"
import type { JobId } from "../domain/JobId.js"
import type { Run } from "../domain/Run.js"
import { isTerminal } from "../domain/RunStatus.js"
import { StopReport } from "../domain/StopReport.js"
import type { Service as Store } from "../store/Port.js"
import type { ActiveJob } from "./ActiveJob.js"
import type { Closing } from "./Closing.js"
import type { Deadlines } from "./Deadlines.js"
import type { Durable } from "./Durable.js"
import type { Interrupt } from "./Interruption.js"
import * as Once from "./Once.js"

export interface Stop {
  readonly stop: (
    id: JobId,
    grace: Duration.Duration
  ) => Effect.Effect<StopReport, JobNotFound | StopTimedOut | StoreError>
  /** Begins to stop a job that may wait to be continued: that goes on, even if whoever asked goes away. */
  readonly beginWaiting: (
    id: JobId,
    grace: Duration.Duration
  ) => Effect.Effect<Once.Once<StopReport, JobNotFound | StopTimedOut | StoreError>>
  /** Begins to stop an active job, or finds that it is being stopped. */
  readonly begin: (
    job: ActiveJob<unknown>,
    grace: Duration.Duration
  ) => Effect.Effect<Once.Once<StopReport, StopTimedOut | StoreError>>
}

/** After its grace, an orchestrator must be ready within this. */
export const afterGrace = Duration.seconds(1)

/** A job can be stopped on a full or a locked disk too; that it was is recorded with its end at the latest. */
const recordPatience = Duration.seconds(1)

/** A job that is just being continued is found after a look or two. */
const mostLooks = 1_000

const isSuperseded = (cause: Cause.Cause<Superseded | StoreError>): boolean =>
  Option.exists(Cause.failureOption(cause), ({ _tag }) => _tag === "Superseded")

export const make = (options: {
  readonly store: Store
  /** The record of a run that is this manager's. */
  readonly recordOf: (id: JobId) => Effect.Effect<Run, JobNotFound | StoreError>
  readonly jobs: { readonly find: (id: JobId) => Effect.Effect<Option.Option<ActiveJob<unknown>>> }
  readonly closing: Closing
  readonly durable: Durable
  readonly interrupt: Interrupt
  readonly fork: (effect: Effect.Effect<void>) => unknown
  readonly deadlines: Deadlines
}): Stop => {
  const { closing, deadlines, durable, fork, interrupt, jobs, recordOf, store } = options

  const report = (jobId: JobId, begun: number, status: StopReport["status"], mode: StopReport["mode"]) =>
    Effect.map(
      Clock.currentTimeMillis,
      (now) =>
        new StopReport(
          { jobId, status, mode, elapsed: Duration.millis(Math.max(0, now - begun)) },
          { disableValidation: true }
        )
    )

  const untold = (job: ActiveJob<unknown>, reason: unknown) =>
    Effect.annotateLogs(Effect.logWarning(`job ${job.id} is stopped before that is recorded`, reason), {
      jobId: job.id
    })

  /**
   * The intent is recorded first: after a crash, the next manager ends the job instead of going on with it. A store that takes
   * its time is not waited for.
   */
  const recorded = (job: ActiveJob<unknown>, proceed: Effect.Effect<void>) =>
    Effect.gen(function* () {
      if (job.phase !== "running" || job.isDecided) return yield* proceed
      job.phase = "stopping"
      let isLate = false
      const inTime = yield* deadlines.after(recordPatience, () => {
        isLate = true
        fork(Effect.zipRight(untold(job, "the store takes its time"), proceed))
      })
      const at = yield* DateTime.now
      const exit = yield* Effect.exit(
        store.record({ type: "job.stopping", jobId: job.id, attempt: job.run.attempt, at })
      )
      if (isLate) return
      inTime()
      // Superseded: it has ended by itself, or is just doing so.
      if (Exit.isFailure(exit) && !isSuperseded(exit.cause)) yield* untold(job, exit.cause)
      yield* proceed
    })

  const wait = (job: ActiveJob<unknown>, begun: number, grace: Duration.Duration) =>
    Effect.gen(function* () {
      const run = yield* deadlines.within(job.ended, Duration.sum(grace, afterGrace))
      if (Option.isSome(run)) {
        const { status } = run.value
        return yield* report(
          job.id,
          begun,
          status,
          status !== "cancelled" ? "alreadyEnded" : job.forced ? "forced" : "graceful"
        )
      }
      const trouble = yield* durable.trouble(job.id)
      if (trouble !== undefined) return yield* trouble
      const now = yield* Clock.currentTimeMillis
      return yield* new StopTimedOut({ jobId: job.id, elapsed: Duration.millis(Math.max(0, now - begun)) })
    })

  const begin = (job: ActiveJob<unknown>, grace: Duration.Duration, begun: number) => {
    const outcome = Once.make<StopReport, StopTimedOut | StoreError>()
    job.stop = outcome
    job.grace = grace
    // In a fiber of the manager: whoever asked first may go away, and the others still wait.
    fork(
      recorded(
        job,
        Effect.map(Effect.exit(Effect.zipRight(interrupt(job.fiber), wait(job, begun, grace))), (exit) => {
          job.stop = undefined
          outcome.done(exit)
        })
      )
    )
    return outcome
  }

  /** Several callers share one stop and its report: none makes way between looking for one and beginning it. */
  const beginActive = (job: ActiveJob<unknown>, grace: Duration.Duration) =>
    Effect.map(Clock.currentTimeMillis, (begun) => job.stop ?? begin(job, grace, begun))

  const stopActive = (job: ActiveJob<unknown>, grace: Duration.Duration) =>
    Effect.flatMap(beginActive(job, grace), (outcome) => outcome.await)

  /** A run that waits to be continued has nothing to interrupt. */
  const stopInactive = (id: JobId, begun: number) =>
    Effect.gen(function* () {
      const { attempt, status } = yield* recordOf(id)
      if (isTerminal(status)) return yield* report(id, begun, status, "alreadyEnded")
      if (closing.hasBegun()) {
        const cause = new Error(`the manager is closing; job ${id} stays ${status}`)
        return yield* new StoreError({ operation: "stop a job", reason: "closed", cause })
      }
      // Running, and yet not active: it has just been continued.
      if (status === "running") return yield* new Superseded({ jobId: id, attempt })
      const at = yield* DateTime.now
      yield* store.record({ type: "job.cancelled", jobId: id, attempt, at })
      return yield* report(id, begun, "cancelled", "graceful")
    })

  const stop = (id: JobId, grace: Duration.Duration, looks = 1): ReturnType<Stop["stop"]> =>
    Effect.gen(function* () {
      const begun = yield* Clock.currentTimeMillis
      const job = yield* jobs.find(id)
      return yield* Option.isSome(job) ? stopActive(job.value, grace) : stopInactive(id, begun)
    }).pipe(
      Effect.catchTag("Superseded", (error) =>
        looks < mostLooks ? Effect.zipRight(Effect.yieldNow(), stop(id, grace, looks + 1)) : Effect.die(error)
      )
    )

  const beginWaiting: Stop["beginWaiting"] = (id, grace) =>
    Effect.sync(() => {
      const outcome = Once.make<StopReport, JobNotFound | StopTimedOut | StoreError>()
      fork(Effect.map(Effect.exit(stop(id, grace)), outcome.done))
      return outcome
    })

  return { stop, beginWaiting, begin: beginActive }
}
