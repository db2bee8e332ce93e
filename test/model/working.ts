/**
 * Commands on what running jobs do: emit, do steps, park and end.
 */
import { expect } from "@effect/vitest"
import { ScriptedOrchestrator, Step } from "charlotte/testing"
import { DateTime, Deferred, Effect, Either } from "effect"
import { logOf } from "./agree.js"
import { type Command, manager, onJob, running } from "./command.js"
import type { Job } from "./Job.js"

const send = ({ id }: Job, ...steps: ReadonlyArray<Step.Step<never>>) =>
  Effect.flatMap(ScriptedOrchestrator.ScriptedOrchestrator, ({ send }) => send(id, ...steps))

export const emit = (n: number, count: number): Command =>
  onJob(
    `emit ${count}`,
    n,
    (job, model) =>
      Effect.gen(function* () {
        const flushed = yield* Deferred.make<void>()
        const types = Array.from({ length: count }, (_, i) => `step ${i}`)
        yield* send(job, ...types.map((type) => Step.emit({ type })), Step.flush, () =>
          Effect.asVoid(Deferred.succeed(flushed, undefined))
        )
        yield* Deferred.await(flushed)
        model.emitted(job, types)
      }),
    running
  )

/** Does a step, whose outcome is the one that an earlier attempt has recorded, if there is any. */
export const step = (n: number, { isOk, name, value }: { name: string; isOk: boolean; value: number }): Command =>
  onJob(
    `step ${name} ${isOk ? "succeeds" : "fails"} with ${value}`,
    n,
    (job, model) =>
      Effect.gen(function* () {
        const ended = yield* Deferred.make<Either.Either<number, unknown>>()
        const doStep: Step.Step = ({ step }) =>
          Effect.flatMap(Effect.either(step(name, isOk ? Effect.succeed(value) : Effect.fail(value))), (outcome) =>
            Effect.asVoid(Deferred.succeed(ended, outcome))
          )
        yield* send(job, doStep)
        const recorded = model.step(job, name, isOk, value)
        const outcome = recorded.isOk ? Either.right(recorded.value) : Either.left(recorded.value)
        expect(yield* Deferred.await(ended)).toEqual(outcome)
      }),
    running
  )

/** For a signal, until a time, or until whichever comes first. */
export const park = (n: number, { days, isForSignal }: { days: number | undefined; isForSignal: boolean }): Command =>
  onJob(
    `park ${isForSignal ? "for a signal" : ""} ${days === undefined ? "" : `for ${days} days`}`,
    n,
    (job, model) =>
      Effect.gen(function* () {
        const reason = "the model says so"
        const until = DateTime.unsafeMake(model.now + (days ?? 0) * 86_400_000)
        yield* send(
          job,
          Step.park(
            days === undefined
              ? { reason, signal: "go" }
              : isForSignal
                ? { reason, until, signal: "go" }
                : { reason, until }
          )
        )
        model.parked(job, { days, isForSignal: isForSignal || days === undefined })
      }),
    running
  )

const giveUp: Step.Step<{ readonly fail: (error: string) => Effect.Effect<never> }> = ({ fail }) => fail("for good")

const cancel: Step.Step<{ readonly cancel: Effect.Effect<never> }> = ({ cancel }) => cancel

export const ends = {
  succeed: Step.succeed("done"),
  fail: Step.fail("broken"),
  failHopelessly: Step.fail("hopeless"),
  giveUp,
  cancel,
  die: Step.die("a bug"),
  interrupt: Step.interrupt
} as const

export const end = (n: number, how: keyof typeof ends): Command =>
  onJob(
    how,
    n,
    (job, model) =>
      Effect.gen(function* () {
        yield* send(job, ends[how])
        if (how === "succeed") model.ended(job, "completed")
        else if (how === "cancel") model.ended(job, "cancelled")
        else if (how === "fail") model.failed(job)
        else model.failed(job, (how === "die" || how === "interrupt") && model.kind.retriesDefects)
        const { id, status } = model.job(job.id)
        if (status === "parked") return
        expect((yield* (yield* manager).await(id)).status).toBe(status)
      }),
    running
  )

/** Either may win, and the end may come between the two events of the stop. */
export const stopWhileItEnds = (n: number): Command =>
  onJob(
    "stop while it succeeds",
    n,
    (job, model) =>
      Effect.gen(function* () {
        const { id, log } = job
        const { stop } = yield* manager
        const both = { end: send(job, ends.succeed), stop: stop(id) }
        const { stop: report } = yield* Effect.all(n % 2 === 0 ? both : { stop: both.stop, end: both.end }, {
          concurrency: "unbounded"
        })
        const events = (yield* logOf(model, id)).slice(log.length)
        expect([
          ["job.completed"],
          ["job.stopping", "job.completed"],
          ["job.stopping", "job.cancelled"]
        ]).toContainEqual(events)
        const ended = events.at(-1) === "job.completed" ? "completed" : "cancelled"
        expect(report.status).toBe(ended)
        expect(ended === "completed" ? ["alreadyEnded", "graceful"] : ["graceful"]).toContain(report.mode)
        if (events.length > 1) model.stopping(job)
        model.ended(job, ended)
      }),
    ({ active }) => active.filter(({ isStop }) => !isStop)
  )
