/**
 * Commands that change what waits: signals, resumes, pauses, limits, retries, time and restarts.
 */
import { expect } from "@effect/vitest"
import { Clock, DateTime, Duration, Effect, Option, TestClock } from "effect"
import { unknownId } from "../support/jobs.js"
import { agree } from "./agree.js"
import { byProducer, type Command, command, manager, mostly, onJob, outcomeOf } from "./command.js"
import type { Limits } from "./Kind.js"
import type { Job } from "./Job.js"
import type { Model } from "./Model.js"

const unfinished = ({ unfinished }: Model) => unfinished

const waiting = ({ unfinished }: Model) => unfinished.filter(({ status }) => status !== "running")

const resting = ({ unfinished }: Model) =>
  unfinished.filter(({ status }) => status === "parked" || status === "interrupted")

const over = ({ over }: Model) => over

const isOver = (job: Job, model: Model) => !model.unfinished.includes(job)

export const signal = (n: number): Command =>
  onJob(
    "signal",
    n,
    (job, model) =>
      Effect.gen(function* () {
        const { signal } = yield* manager
        expect(yield* outcomeOf(signal(job.id, "go"))).toBe(isOver(job, model) ? "JobEnded" : "done")
        if (!isOver(job, model)) model.signalled(job)
      }),
    mostly(n, unfinished)
  )

export const signalByProducer = (n: number): Command =>
  onJob(
    "signal by a producer",
    n,
    (job, model) =>
      byProducer((producer) =>
        Effect.gen(function* () {
          expect(yield* outcomeOf(producer.signal(job.id, "go"))).toBe(isOver(job, model) ? "JobEnded" : "done")
          if (!isOver(job, model)) model.signalled(job)
        })
      ),
    mostly(n, unfinished)
  )

/** Why an interrupted run cannot continue now; another attempt of its group needs room only. */
const obstacleTo = (model: Model, { start, wokenBy }: Job) => {
  if (model.isPaused && wokenBy !== "stop") return "KindPaused"
  return model.active.length >= model.maxJobs || !model.hasRoom(start.group) ? "MaxJobsReached" : undefined
}

export const resume = (n: number): Command =>
  onJob(
    "resume",
    n,
    (job, model) =>
      Effect.gen(function* () {
        const { resume } = yield* manager
        const isParked = job.status === "parked"
        const obstacle = job.status === "interrupted" ? obstacleTo(model, job) : isParked ? undefined : "NotResumable"
        expect(yield* outcomeOf(resume(job.id))).toBe(obstacle ?? "done")
        if (isParked) model.woken(job)
        else if (obstacle === undefined) model.resumed(job)
      }),
    mostly(n, resting)
  )

/** A request of a producer to resume an interrupted run waits for a permit, so it asks only where there is one. */
export const resumeByProducer = (n: number): Command =>
  onJob(
    "resume by a producer",
    n,
    (job, model) =>
      byProducer((producer) =>
        Effect.gen(function* () {
          const obstacle = job.status === "interrupted" ? obstacleTo(model, job) : undefined
          if (obstacle === "MaxJobsReached") return
          const mayResume = job.status === "parked" || job.status === "interrupted"
          expect(yield* outcomeOf(producer.resume(job.id))).toBe(mayResume ? (obstacle ?? "done") : "NotResumable")
          if (job.status === "parked") model.woken(job)
          else if (mayResume && obstacle === undefined) model.resumed(job)
        })
      ),
    mostly(n, resting)
  )

/** The new run is not checked before it begins, unless the one that it retries was. */
export const retryByProducer = (n: number): Command =>
  onJob(
    "retry by a producer",
    n,
    (job, model) =>
      byProducer((producer) =>
        Effect.gen(function* () {
          const answer = yield* Effect.either(producer.retry(job.id))
          const before = model.retriedAs(job)
          if (before !== undefined) return expect(answer).toMatchObject({ right: before })
          const isRetryable = job.status === "failed" || job.status === "cancelled"
          const refusal = isRetryable ? model.conflictOf(job) : "NotRetryable"
          if (answer._tag === "Left") return expect(answer.left._tag).toBe(refusal)
          expect(refusal).toBeUndefined()
          model.retried(job, answer.right, false)
        })
      ),
    mostly(n, over)
  )

export const pause = (isPaused: boolean): Command =>
  command(isPaused ? "pause" : "unpause", (model) =>
    Effect.gen(function* () {
      const { pause, unpause } = yield* manager
      yield* isPaused ? pause() : unpause()
      model.isPaused = isPaused
    })
  )

export const limit = (maxJobs: number | "default"): Command =>
  command(`limit to ${maxJobs}`, (model) =>
    Effect.gen(function* () {
      const { limit, maxJobs: current } = yield* manager
      yield* limit(maxJobs)
      model.limited(maxJobs)
      expect(yield* current).toBe(model.maxJobs)
    })
  )

/** The priority, the start time, or both; 0 days are `now`. */
export const reschedule = (
  n: number,
  { days, priority }: { days: number | undefined; priority: number | undefined }
): Command =>
  onJob(
    `reschedule to ${priority ?? "the same"} ${days ?? ""}`,
    n,
    (job, model) =>
      Effect.gen(function* () {
        const { reschedule } = yield* manager
        const isWaiting =
          job.status === "pending" || (days === undefined && ["parked", "interrupted"].includes(job.status))
        const startAt = days === 0 ? ("now" as const) : DateTime.unsafeMake(model.now + (days ?? 0) * 86_400_000)
        const to = { priority: priority ?? job.priority, ...(days === undefined ? {} : { startAt }) }
        expect(yield* outcomeOf(reschedule(job.id, to))).toBe(isWaiting ? "done" : "NotReschedulable")
        if (isWaiting) model.rescheduled(job, to.priority, days)
      }),
    mostly(n, waiting)
  )

/** By several callers at once, who get one new run. */
export const retry = (
  n: number,
  { again, callers, fresh }: { again: boolean; callers: number; fresh: boolean }
): Command =>
  onJob(
    `retry${again ? " again" : ""}${fresh ? " from the start" : ""} by ${callers}`,
    n,
    (job, model) =>
      Effect.gen(function* () {
        const { retry } = yield* manager
        const isRetryable = isOver(job, model) && (again || job.status !== "completed")
        const answers = yield* Effect.replicateEffect(Effect.either(retry(job.id, { again, fresh })), callers, {
          concurrency: "unbounded"
        })
        const [answer] = answers
        expect(answers).toEqual(answers.map(() => answer))
        const before = model.retriedAs(job)
        if (before !== undefined) return expect(answer).toMatchObject({ right: before })
        const isFull = model.pending.length >= model.limits.maxQueued
        const refusal = isRetryable ? (model.conflictOf(job) ?? (isFull ? "QueueFull" : undefined)) : "NotRetryable"
        if (answer?._tag !== "Right") return expect(answer?.left._tag).toBe(refusal)
        expect(refusal).toBeUndefined()
        model.retried(job, answer.right, fresh)
      }),
    mostly(n, over)
  )

export const unknown: Command = command("operations on an unknown job", () =>
  Effect.gen(function* () {
    const { await: end, resume, stop } = yield* manager
    expect(yield* outcomeOf(stop(unknownId))).toBe("JobNotFound")
    expect(yield* outcomeOf(end(unknownId))).toBe("JobNotFound")
    expect(yield* outcomeOf(resume(unknownId))).toBe("JobNotFound")
  })
)

/** What is next comes first: a run that is due takes a permit before the next is due. */
export const wait = (days: number): Command =>
  command(`wait ${days} days`, (model) =>
    Effect.gen(function* () {
      const end = model.now + Duration.toMillis(Duration.days(days))
      while (model.next < end) {
        yield* TestClock.setTime(model.next)
        yield* agree(model)
      }
      yield* TestClock.setTime(end)
    })
  )

/** Managers end one after the other; the last ones have the same limits as before, or others. */
export const restart = (hows: ReadonlyArray<"closes" | "crashes">, limits: Option.Option<Limits>): Command => ({
  check: () => true,
  run: async (model, world) => {
    const next = Option.getOrElse(limits, () => model.limits)
    for (const how of hows) {
      await world.restart(how, next)
      if (how === "closes") model.closed(next)
      // What a crash has left is recorded by the next manager, at its time.
      model.now = await world.run(Clock.currentTimeMillis)
      if (how === "crashes") model.crashed(next)
      await world.run(agree(model))
    }
  },
  toString: () =>
    `the manager ${hows.join(", ")}${Option.isSome(limits) ? `, and the next has ${JSON.stringify(limits.value)}` : ""}`
})
