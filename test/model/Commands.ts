/**
 * The commands of the model-based test: each acts on the model and on the real manager, and compares them.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import { expect } from "@effect/vitest"
import { JobManager, RunStore } from "charlotte"
import { ScriptedOrchestrator, Step } from "charlotte/testing"
import { Cause, Clock, Deferred, Duration, Effect, FastCheck, Option, Stream, TestClock, TestServices } from "effect"
import { RealClock } from "../../src/internal/RealClock.js"
import { config, unknownId } from "../support/jobs.js"
import { Work } from "../support/Work.js"
import { type Job, maxJobs, type Model } from "./Model.js"
import type { World } from "./World.js"

type Services = JobManager.JobManager | RunStore.RunStore | ScriptedOrchestrator.ScriptedOrchestrator

type Command = FastCheck.AsyncCommand<Model, World>

const withKey = (key: string | undefined) => (key === undefined ? config : { ...config, labels: { key } })

const outcomeOf = <A, E extends { readonly _tag: string }, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.map(Effect.either(effect), (either) => (either._tag === "Left" ? either.left._tag : "done"))

const logOf = ({ kind }: Model, id: Job["id"]) =>
  Effect.flatMap(RunStore.RunStore, (store) =>
    Effect.map(store.events({ kind: kind.name, jobId: id, after: 0, limit: 10_000 }), (page) =>
      Option.match(page, { onNone: () => [], onSome: ({ events }) => events.map(({ type }) => type) })
    )
  )

/** All that is to happen by itself has happened: runs that wait begin, as far as there are permits. */
const settled = (model: Model) =>
  Effect.gen(function* () {
    const manager = yield* JobManager.JobManager
    const { began } = yield* ScriptedOrchestrator.ScriptedOrchestrator
    for (const { id, log } of model.jobs) {
      const written = (yield* logOf(model, id)).length
      if (written < log.length) yield* Stream.runDrain(Stream.take(manager.events(id), log.length))
    }
    for (const { attempt, id } of model.active) yield* began(id, attempt)
    // The manager has looked for the next run that waits.
    yield* Effect.repeatN(
      Effect.flatMap(RealClock, ({ turn }) => turn),
      5
    )
  }).pipe(
    Effect.timeoutFailCause({
      duration: "10 seconds",
      onTimeout: () => Cause.die(new Error("it does not come to what the model says"))
    }),
    TestServices.provideLive
  )

/** The real manager is in the same state as the model. */
const agree = (model: Model) =>
  Effect.gen(function* () {
    model.advance(yield* Clock.currentTimeMillis)
    yield* settled(model)
    const manager = yield* JobManager.JobManager
    const store = yield* RunStore.RunStore
    expect([...(yield* manager.list)].sort()).toEqual(model.active.map(({ id }) => id).sort())
    expect(yield* manager.activeCount).toBe(model.active.length)
    const runs = yield* store.list({ limit: 1_000 })
    expect(runs.map(({ attempt, id, status, tries = 0 }) => ({ id, status, attempt, tries }))).toEqual(
      model.newestFirst.map(({ attempt, id, status, tries }) => ({ id, status, attempt, tries }))
    )
    for (const { id, log } of model.jobs) expect(yield* logOf(model, id)).toEqual(log)
  })

const command = (
  name: string,
  act: (model: Model) => Effect.Effect<unknown, unknown, Services>,
  check: (model: Model) => boolean = () => true
): Command => ({
  check,
  run: (model, world) =>
    world.run(
      Effect.gen(function* () {
        model.now = yield* Clock.currentTimeMillis
        yield* act(model)
        yield* agree(model)
      })
    ),
  toString: () => name
})

/** A command on the n-th existing job. */
const onJob = (
  name: string,
  n: number,
  act: (job: Job, model: Model) => Effect.Effect<unknown, unknown, Services>,
  jobsOf: (model: Model) => ReadonlyArray<Job> = ({ jobs }) => jobs
): Command => {
  const find = (model: Model) => jobsOf(model)[n % Math.max(1, jobsOf(model).length)]
  return command(
    `${name} ${n}`,
    (model) => Effect.flatMap(Effect.fromNullable(find(model)), (job) => act(job, model)),
    (model) => find(model) !== undefined
  )
}

/** What a producer does, where the kind has producers. */
const byProducer = (act: (producer: typeof Work.Producer.Service) => Effect.Effect<unknown, unknown>) =>
  Effect.flatMap(Effect.serviceOption(Work.Producer), Option.match({ onNone: () => Effect.void, onSome: act }))

const running = ({ active }: Model) => active

const start = (key: string | undefined) =>
  command(`start ${key ?? ""}`, (model) =>
    Effect.gen(function* () {
      const manager = yield* JobManager.JobManager
      const started = yield* Effect.either(manager.start(withKey(key)))
      const obstacle = model.obstacle(key)
      if (started._tag === "Left") return expect(started.left._tag).toBe(obstacle)
      expect(obstacle).toBeUndefined()
      model.started(started.right, key)
    })
  )

/** One that may have to wait, for a permit or for a time. */
const queue = ({
  days,
  key,
  priority
}: {
  readonly days: number
  readonly key: string | undefined
  readonly priority: number
}) =>
  command(`queue ${key ?? ""} ${priority} ${days}`, (model) =>
    Effect.gen(function* () {
      const manager = yield* JobManager.JobManager
      const delay = days === 0 ? {} : { delay: Duration.days(days) }
      const started = yield* Effect.either(manager.start(withKey(key), { whenFull: "queue", priority, ...delay }))
      if (started._tag === "Left") return expect(started.left._tag).toBe(model.conflict(key))
      expect(model.conflict(key)).toBeUndefined()
      if (days === 0 && !model.isPaused && model.active.length < maxJobs) model.started(started.right, key, priority)
      else model.queued(started.right, { key, priority, dueAt: model.now + Duration.toMillis(Duration.days(days)) })
    })
  )

/** In a transaction of the application, where the store has any. */
const startInside = ({ isRolledBack, priority }: { readonly isRolledBack: boolean; readonly priority: number }) =>
  command(`start inside ${priority} ${isRolledBack ? "and roll back" : ""}`, (model) =>
    Effect.gen(function* () {
      const manager = yield* JobManager.JobManager
      const sql = yield* Effect.serviceOption(SqlClient.SqlClient)
      if (Option.isNone(sql)) return
      const start = manager.start(config, { priority })
      if (isRolledBack) {
        const failing = Effect.zipRight(start, Effect.fail("rolled back" as const))
        expect(yield* Effect.flip(sql.value.withTransaction(failing))).toBe("rolled back")
      } else model.queued(yield* sql.value.withTransaction(start), { key: undefined, priority })
    })
  )

const park = (n: number) =>
  onJob(
    "park",
    n,
    (job, model) =>
      Effect.gen(function* () {
        const { send } = yield* ScriptedOrchestrator.ScriptedOrchestrator
        yield* send(job.id, Step.park({ reason: "the model says so", signal: "go" }))
        model.parked(job)
      }),
    running
  )

const signal = (n: number) =>
  onJob("signal", n, (job, model) =>
    Effect.gen(function* () {
      const manager = yield* JobManager.JobManager
      const isOver = !model.unfinished.includes(job)
      expect(yield* outcomeOf(manager.signal(job.id, "go"))).toBe(isOver ? "JobEnded" : "done")
      if (!isOver) model.signalled(job)
    })
  )

/** Either of the two starts may win. */
const startTwice = (key: string) =>
  command(`start twice ${key}`, (model) =>
    Effect.gen(function* () {
      const manager = yield* JobManager.JobManager
      const starting = Effect.either(manager.start(withKey(key)))
      for (const started of yield* Effect.all([starting, starting], { concurrency: "unbounded" })) {
        if (started._tag === "Right") model.started(started.right, key)
        else expect(["KindPaused", "MaxJobsReached", "JobConflict"]).toContain(started.left._tag)
      }
      // One of them has started, if there was a permit.
      expect(model.obstacle(key)).toBeDefined()
    })
  )

const emit = (n: number, count: number) =>
  onJob(
    `emit ${count}`,
    n,
    (job, model) =>
      Effect.gen(function* () {
        const { send } = yield* ScriptedOrchestrator.ScriptedOrchestrator
        const flushed = yield* Deferred.make<void>()
        const types = Array.from({ length: count }, (_, i) => `step ${i}`)
        yield* send(job.id, ...types.map((type) => Step.emit({ type })), Step.flush, () =>
          Effect.asVoid(Deferred.succeed(flushed, undefined))
        )
        yield* Deferred.await(flushed)
        model.emitted(job, types)
      }),
    running
  )

const giveUp: Step.Step<{ readonly fail: (error: string) => Effect.Effect<never> }> = ({ fail }) => fail("for good")

const ends = {
  succeed: [Step.succeed("done"), "completed"],
  fail: [Step.fail("broken"), "failed"],
  giveUp: [giveUp, "failed"],
  die: [Step.die("a bug"), "failed"],
  interrupt: [Step.interrupt, "failed"]
} as const

const end = (n: number, how: keyof typeof ends) =>
  onJob(
    how,
    n,
    (job, model) =>
      Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        const { send } = yield* ScriptedOrchestrator.ScriptedOrchestrator
        const [step, status] = ends[how]
        yield* send(job.id, step)
        if (how === "fail") model.failed(job)
        else model.ended(job, status)
        if (model.job(job.id).status === status) expect((yield* manager.await(job.id)).status).toBe(status)
      }),
    running
  )

const stop = (n: number, callers: number) =>
  onJob(`stop by ${callers}`, n, (job, model) =>
    Effect.gen(function* () {
      const manager = yield* JobManager.JobManager
      const isOver = !model.unfinished.includes(job)
      const reports = yield* Effect.replicateEffect(manager.stop(job.id), callers, { concurrency: "unbounded" })
      if (!isOver) model.stopped(job)
      for (const { mode, status } of reports) {
        // Of several callers that stop an interrupted run, one gets `graceful`.
        expect(["graceful", "alreadyEnded"]).toContain(mode)
        expect(status).toBe(isOver ? job.status : "cancelled")
      }
      expect(reports.some(({ mode }) => mode === "graceful")).toBe(!isOver)
    })
  )

/** Either may win, and the end may come between the two events of the stop. */
const stopWhileItEnds = (n: number) =>
  onJob(
    "stop while it succeeds",
    n,
    (job, model) =>
      Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        const { send } = yield* ScriptedOrchestrator.ScriptedOrchestrator
        const both = { end: send(job.id, Step.succeed("done")), stop: manager.stop(job.id) }
        const { stop } = yield* Effect.all(n % 2 === 0 ? both : { stop: both.stop, end: both.end }, {
          concurrency: "unbounded"
        })
        const events = (yield* logOf(model, job.id)).slice(job.log.length)
        expect([
          ["job.completed"],
          ["job.stopping", "job.completed"],
          ["job.stopping", "job.cancelled"]
        ]).toContainEqual(events)
        const ended = events.at(-1) === "job.completed" ? "completed" : "cancelled"
        expect(stop.status).toBe(ended)
        expect(ended === "completed" ? ["alreadyEnded", "graceful"] : ["graceful"]).toContain(stop.mode)
        model.ended(job, ended, events.slice(0, -1))
      }),
    running
  )

const resume = (n: number) =>
  onJob("resume", n, (job, model) =>
    Effect.gen(function* () {
      const manager = yield* JobManager.JobManager
      const isParked = job.status === "parked"
      const obstacle = job.status === "interrupted" ? model.obstacle(undefined) : isParked ? undefined : "NotResumable"
      expect(yield* outcomeOf(manager.resume(job.id))).toBe(obstacle ?? "done")
      if (isParked) model.woken(job)
      else if (obstacle === undefined) model.resumed(job)
    })
  )

const pause = (isPaused: boolean) =>
  command(isPaused ? "pause" : "unpause", (model) =>
    Effect.gen(function* () {
      const manager = yield* JobManager.JobManager
      yield* isPaused ? manager.pause() : manager.unpause()
      model.isPaused = isPaused
    })
  )

const reschedule = (n: number, priority: number) =>
  onJob(`reschedule to ${priority}`, n, (job, model) =>
    Effect.gen(function* () {
      const manager = yield* JobManager.JobManager
      const isWaiting = ["pending", "parked", "interrupted"].includes(job.status)
      const outcome = yield* outcomeOf(manager.reschedule(job.id, { priority }))
      expect(outcome).toBe(isWaiting ? "done" : "NotReschedulable")
      if (isWaiting && priority !== job.priority) model.rescheduled(job, priority)
    })
  )

/** By several callers at once, who get one new run. */
const retry = (n: number, { again, callers }: { readonly again: boolean; readonly callers: number }) =>
  onJob(`retry${again ? " again" : ""} by ${callers}`, n, (job, model) =>
    Effect.gen(function* () {
      const manager = yield* JobManager.JobManager
      const isOver = !model.unfinished.includes(job)
      const isRetryable = isOver && (again || job.status !== "completed")
      const answers = yield* Effect.replicateEffect(Effect.either(manager.retry(job.id, { again })), callers, {
        concurrency: "unbounded"
      })
      const [answer] = answers
      expect(answers).toEqual(answers.map(() => answer))
      if (answer?._tag !== "Right") {
        const obstacle = isRetryable ? model.conflict(job.key) : "NotRetryable"
        return expect(answer?.left._tag).toBe(obstacle)
      }
      if (job.retriedAs !== undefined) return expect(answer.right).toBe(job.retriedAs)
      expect([isRetryable, model.conflict(job.key)]).toEqual([true, undefined])
      model.retried(job, answer.right)
    })
  )

const stopAll = command("stop all", (model) =>
  Effect.gen(function* () {
    const manager = yield* JobManager.JobManager
    const reports = yield* manager.stopAll
    // With manual recovery, interrupted runs stay interrupted.
    const stopped = model.unfinished.filter(({ status }) => status !== "interrupted")
    expect(reports.map(({ jobId, mode, status }) => [jobId, status, mode]).sort()).toEqual(
      stopped.map(({ id }) => [id, "cancelled", "graceful"]).sort()
    )
    for (const job of stopped) model.stopped(job)
  })
)

const unknown = command("operations on an unknown job", () =>
  Effect.gen(function* () {
    const manager = yield* JobManager.JobManager
    expect(yield* outcomeOf(manager.stop(unknownId))).toBe("JobNotFound")
    expect(yield* outcomeOf(manager.await(unknownId))).toBe("JobNotFound")
    expect(yield* outcomeOf(manager.resume(unknownId))).toBe("JobNotFound")
  })
)

/** It waits until the manager begins it. */
const startByProducer = (priority: number) =>
  command(`start by a producer ${priority}`, (model) =>
    byProducer(({ start }) =>
      Effect.map(start(config, { priority }), (id) => model.queued(id, { key: undefined, priority }))
    )
  )

const signalByProducer = (n: number) =>
  onJob("signal by a producer", n, (job, model) =>
    byProducer((producer) =>
      Effect.gen(function* () {
        const isOver = !model.unfinished.includes(job)
        expect(yield* outcomeOf(producer.signal(job.id, "go"))).toBe(isOver ? "JobEnded" : "done")
        if (!isOver) model.signalled(job)
      })
    )
  )

const stopByProducer = (n: number) =>
  onJob("stop by a producer", n, (job, model) =>
    byProducer((producer) =>
      Effect.gen(function* () {
        yield* producer.stop(job.id)
        if (model.unfinished.includes(job)) model.stopped(job)
        expect((yield* producer.await(job.id)).status).toBe(model.job(job.id).status)
      })
    )
  )

/** What is next comes first: a run that is due takes a permit before the next is due. */
const wait = (days: number) =>
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

const restart = (how: "closes" | "crashes"): Command => ({
  check: () => true,
  run: async (model, world) => {
    await world.restart(how)
    if (how === "closes") model.closed()
    else model.crashed()
    await world.run(agree(model))
  },
  toString: () => `the manager ${how}`
})

const { boolean, constant, constantFrom, integer, nat, record } = FastCheck

const key = constantFrom(undefined, undefined, "a", "b")

const priority = integer({ min: -1, max: 1 })

/** A sequence of commands, which shrinks to a minimal failing one. */
export const commands = FastCheck.commands(
  [
    key.map(start),
    key.map(start),
    record({ key, priority, days: constantFrom(0, 0, 1, 1_000) }).map(queue),
    record({ key, priority, days: constant(0) }).map(queue),
    record({ priority, isRolledBack: boolean() }).map(startInside),
    nat().map(park),
    nat().map(signal),
    nat().map(signal),
    constantFrom("a", "b").map(startTwice),
    record({ n: nat(), count: integer({ min: 1, max: 5 }) }).map(({ count, n }) => emit(n, count)),
    record({
      n: nat(),
      how: constantFrom("succeed" as const, "fail" as const, "giveUp" as const, "die" as const, "interrupt" as const)
    }).map(({ how, n }) => end(n, how)),
    record({ n: nat(), callers: integer({ min: 1, max: maxJobs }) }).map(({ callers, n }) => stop(n, callers)),
    nat().map(stopWhileItEnds),
    nat().map(resume),
    nat().map(resume),
    boolean().map(pause),
    constant(false).map(pause),
    record({ n: nat(), priority }).map(({ n, priority }) => reschedule(n, priority)),
    record({ n: nat(), again: boolean(), callers: integer({ min: 1, max: 3 }) }).map(({ n, ...how }) => retry(n, how)),
    priority.map(startByProducer),
    nat().map(signalByProducer),
    nat().map(stopByProducer),
    constant(stopAll),
    constant(unknown),
    integer({ min: 1, max: 4_000 }).map(wait),
    constantFrom("closes" as const, "crashes" as const).map(restart)
  ],
  { maxCommands: 60, size: "max" }
)
