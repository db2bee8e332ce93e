/**
 * Commands that stop jobs.
 */
import { expect } from "@effect/vitest"
import { Effect } from "effect"
import { byProducer, type Command, command, manager, mostly, onJob } from "./command.js"
import type { Job } from "./Job.js"
import type { Model } from "./Model.js"

/** A run that runs once more for its stop ends only when that attempt ends, so the stop itself is not awaited. */
const stopInBackground = (job: Job, model: Model) =>
  Effect.gen(function* () {
    const { stop } = yield* manager
    yield* Effect.forkDaemon(stop(job.id))
    model.wokenToStop(job)
  })

/** Without any grace, a run that waits is cancelled though it would run for its stop, and an attempt for a stop is interrupted. */
export const stop = (n: number, { callers, hasGrace }: { callers: number; hasGrace: boolean }): Command =>
  onJob(
    `stop by ${callers} ${hasGrace ? "" : "without grace"}`,
    n,
    (job, model) =>
      Effect.gen(function* () {
        if (hasGrace && model.runsOnStop(job)) return yield* stopInBackground(job, model)
        const { stop } = yield* manager
        const isOver = !model.unfinished.includes(job)
        const grace = job.isStop || model.runsOnStop(job) ? { grace: 0 } : {}
        const reports = yield* Effect.replicateEffect(stop(job.id, grace), callers, { concurrency: "unbounded" })
        if (!isOver) model.stopped(job)
        for (const { mode, status } of reports) {
          // Of several callers that stop an interrupted run, one gets `graceful`.
          expect(["graceful", "alreadyEnded"]).toContain(mode)
          expect(status).toBe(isOver ? job.status : "cancelled")
        }
        expect(reports.some(({ mode }) => mode === "graceful")).toBe(!isOver)
      }),
    mostly(n, ({ unfinished }) => unfinished)
  )

export const stopAll: Command = command(
  "stop all",
  (model) =>
    Effect.gen(function* () {
      const reports = yield* (yield* manager).stopAll
      // With manual recovery, interrupted runs stay interrupted.
      const isStopped = ({ status }: Job) => status !== "interrupted" || model.limits.recovery === "automatic"
      const stopped = model.unfinished.filter(isStopped)
      expect(reports.map(({ jobId, mode, status }) => [jobId, status, mode]).sort()).toEqual(
        stopped.map(({ id }) => [id, "cancelled", "graceful"]).sort()
      )
      for (const { id } of stopped) model.stopped(model.job(id))
    }),
  // It would wait for attempts that run for their stop.
  (model) => !model.unfinished.some((job) => job.isStop || model.runsOnStop(job))
)

export const stopByProducer = (n: number): Command =>
  onJob(
    "stop by a producer",
    n,
    (job, model) =>
      byProducer((producer) =>
        Effect.gen(function* () {
          yield* producer.stop(job.id)
          if (model.unfinished.includes(job)) model.stopped(job)
          expect((yield* producer.await(job.id)).status).toBe(model.job(job.id).status)
        })
      ),
    (model) => mostly(n, ({ unfinished }) => unfinished)(model).filter((job) => !job.isStop && !model.runsOnStop(job))
  )
