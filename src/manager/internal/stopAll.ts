/**
 * Stops all jobs at the same time, under one deadline.
 */
import { Cause, Clock, Deferred, Effect, Option } from "effect"
import type { StopError } from "../../domain/errors.js"
import type { JobId } from "../../domain/JobId.js"
import type { RunStatus } from "../../domain/RunStatus.js"
import type { Sender } from "../../domain/Sender.js"
import { StopReport } from "../../domain/StopReport.js"
import { RealClock } from "../../internal/RealClock.js"
import { traced } from "../../internal/Tracing.js"
import type { Core } from "./Core.js"
import type { Dispatcher } from "./dispatcher.js"
import * as JobRegistry from "./JobRegistry.js"
import { forEachPage } from "./recovery.js"
import { since, stopJob } from "./stopJob.js"

/**
 * Failures are reported as `timedOut`. Runs that wait in one of these statuses are stopped, and no other run begins before, or, if none
 * has to run for its stop, before all have ended.
 */
export const stopAll = <Config>(
  core: Core<Config>,
  waiting: ReadonlyArray<RunStatus>,
  sender: Sender,
  { pausedDuring }: Pick<Dispatcher, "pausedDuring">
): Effect.Effect<ReadonlyArray<StopReport>> =>
  Effect.gen(function* () {
    yield* core.store.outsideTransaction
    const begun = yield* Clock.currentTimeMillis
    const stop: Stopping = { sender, begun }
    const beginning = Effect.gen(function* () {
      const active = yield* beginAll(core, yield* activeIds(core), stop)
      const stopped = yield* Effect.forEach(waiting, (status) => stopWaiting(core, status, stop))
      return Effect.map(Effect.all([...stopped.flat(), ...active]), (reports) => reports.flat())
    })
    return yield* core.runsOnStop.length === 0
      ? pausedDuring(Effect.flatten(beginning))
      : Effect.flatten(pausedDuring(beginning))
  }).pipe(traced("JobManager.stopAll"))

/** Who stops all jobs, and since when, in milliseconds. */
interface Stopping {
  readonly sender: Sender
  readonly begun: number
}

const activeIds = <Config>({ jobs, others }: Core<Config>) =>
  Effect.zipWith(
    JobRegistry.ids(jobs),
    Option.match(others, { onNone: () => Effect.succeed([]), onSome: ({ ids }) => Effect.orDie(ids) }),
    (own, all) => [...new Set([...own, ...all])]
  )

/**
 * Cancels in slices, so that the writes of a slice share their commits. Runs that have to run for their stop begin only once the dispatcher
 * is no longer paused. Returns the effects that wait for the reports.
 */
const stopWaiting = <Config>(core: Core<Config>, status: RunStatus, stop: Stopping) =>
  Effect.gen(function* () {
    const reports: Array<Effect.Effect<ReadonlyArray<StopReport>>> = []
    const runs = core.runsOnStop.includes(status)
    const cancelled = forEachPage(core, status, (page) =>
      Effect.gen(function* () {
        const slice = yield* beginAll(
          core,
          page.map(({ run }) => run.id),
          stop
        )
        reports.push(...(runs ? slice : (yield* Effect.all(slice)).map((reports) => Effect.succeed(reports))))
      })
    )
    yield* Effect.catchAll(cancelled, (error) =>
      Effect.logWarning("not all runs that wait are cancelled", Cause.fail(error))
    )
    return reports
  })

/**
 * How many stops begin in one turn of the event loop. Their intents are committed in the next turn: with 2,000 in one turn, up to a
 * third of the jobs were interrupted before that (`recordTimeout` in `stopJob`).
 */
const perTurn = 100

/**
 * Begins to stop each job in a fiber of the manager, so that the stop continues when the caller of `stopAll` is interrupted, and
 * returns the effects that wait for the reports.
 */
const beginAll = <Config>(core: Core<Config>, ids: ReadonlyArray<JobId>, { begun, sender }: Stopping) =>
  Effect.gen(function* () {
    const { turn } = yield* RealClock
    return yield* Effect.forEach(ids, (id, i) =>
      Effect.gen(function* () {
        if (i > 0 && i % perTurn === 0) yield* turn
        const reports = yield* Deferred.make<ReadonlyArray<StopReport>>()
        yield* core.fork(
          Effect.intoDeferred(reported(id, stopJob(core, id, { grace: core.stopGrace, sender }), begun), reports)
        )
        return Deferred.await(reports)
      })
    )
  }).pipe(Effect.uninterruptible)

/** None if there is no such job. */
const reported = (
  jobId: JobId,
  stopped: Effect.Effect<StopReport, StopError>,
  begun: number
): Effect.Effect<ReadonlyArray<StopReport>> =>
  stopped.pipe(
    Effect.map((report) => [report]),
    Effect.catchTag("JobNotFound", () => Effect.succeed([])),
    Effect.catchAll((error) =>
      Effect.gen(function* () {
        yield* Effect.logWarning(error.message)
        return [new StopReport({ jobId, status: "running", mode: "timedOut", elapsed: yield* since(begun) })]
      })
    ),
    Effect.annotateLogs({ jobId })
  )
