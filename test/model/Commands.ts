/**
 * The commands of the model-based test: each acts on the model and on the real manager, and compares them.
 */
import { expect } from "@effect/vitest"
import { JobManager, RunStore } from "charlotte"
import { ScriptedOrchestrator, Step } from "charlotte/testing"
import { Deferred, Effect, FastCheck, Option, TestClock } from "effect"
import { config, unknownId } from "../support/jobs.js"
import { type Job, maxJobs, type Model } from "./Model.js"
import type { World } from "./World.js"

type Services = JobManager.JobManager | RunStore.RunStore | ScriptedOrchestrator.ScriptedOrchestrator

type Command = FastCheck.AsyncCommand<Model, World>

const withKey = (key: string | undefined) => (key === undefined ? config : { ...config, labels: { key } })

const outcomeOf = <A, E extends { readonly _tag: string }, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.map(Effect.either(effect), (either) => (either._tag === "Left" ? either.left._tag : "done"))

const logOf = (id: Job["id"]) =>
  Effect.flatMap(RunStore.RunStore, (store) =>
    Effect.map(store.events({ kind: "tasks", jobId: id, after: 0, limit: 10_000 }), (page) =>
      Option.match(page, { onNone: () => [], onSome: ({ events }) => events.map(({ type }) => type) })
    )
  )

/** The real manager is in the same state as the model. */
const agree = (model: Model) =>
  Effect.gen(function* () {
    const manager = yield* JobManager.JobManager
    const store = yield* RunStore.RunStore
    expect(yield* manager.list).toEqual(model.active.map(({ id }) => id))
    expect(yield* manager.activeCount).toBe(model.active.length)
    const runs = yield* store.list({ limit: 1_000 })
    expect(runs.map(({ attempt, id, status }) => ({ id, status, attempt }))).toEqual(
      [...model.jobs].reverse().map(({ attempt, id, status }) => ({ id, status, attempt }))
    )
    for (const { id, log } of model.jobs) expect(yield* logOf(id)).toEqual(log)
  })

const command = (
  name: string,
  act: (model: Model) => Effect.Effect<unknown, unknown, Services>,
  check: (model: Model) => boolean = () => true
): Command => ({
  check,
  run: (model, world) => world.run(Effect.zipRight(act(model), agree(model))),
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

/** Either of the two starts may win. */
const startTwice = (key: string) =>
  command(`start twice ${key}`, (model) =>
    Effect.gen(function* () {
      const manager = yield* JobManager.JobManager
      const starting = Effect.either(manager.start(withKey(key)))
      for (const started of yield* Effect.all([starting, starting], { concurrency: "unbounded" })) {
        if (started._tag === "Right") model.started(started.right, key)
        else expect(["MaxJobsReached", "JobConflict"]).toContain(started.left._tag)
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

const ends = {
  succeed: [Step.succeed("done"), "completed"],
  fail: [Step.fail("broken"), "failed"],
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
        expect((yield* manager.await(job.id)).status).toBe(status)
        model.ended(job, status)
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
        const events = (yield* logOf(job.id)).slice(job.log.length)
        expect([
          ["job.completed"],
          ["job.stopping", "job.completed"],
          ["job.stopping", "job.cancelled"]
        ]).toContainEqual(events)
        const ended = events.at(-1) === "job.completed" ? "completed" : "cancelled"
        expect([stop.status, stop.mode]).toEqual([ended, ended === "completed" ? "alreadyEnded" : "graceful"])
        model.ended(job, ended, events.slice(0, -1))
      }),
    running
  )

const resume = (n: number) =>
  onJob("resume", n, (job, model) =>
    Effect.gen(function* () {
      const manager = yield* JobManager.JobManager
      const obstacle = job.status === "interrupted" ? model.obstacle(undefined) : "NotResumable"
      expect(yield* outcomeOf(manager.resume(job.id))).toBe(obstacle ?? "done")
      if (obstacle === undefined) model.resumed(job)
    })
  )

const stopAll = command("stop all", (model) =>
  Effect.gen(function* () {
    const manager = yield* JobManager.JobManager
    const reports = yield* manager.stopAll
    // With manual recovery, interrupted runs stay interrupted.
    const stopped = model.active
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

const wait = (days: number) => command(`wait ${days} days`, () => TestClock.adjust(`${days} days`))

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

const { constant, constantFrom, integer, nat, record } = FastCheck

const key = constantFrom(undefined, undefined, "a", "b")

/** A sequence of commands, which shrinks to a minimal failing one. */
export const commands = FastCheck.commands(
  [
    key.map(start),
    key.map(start),
    constantFrom("a", "b").map(startTwice),
    record({ n: nat(), count: integer({ min: 1, max: 5 }) }).map(({ count, n }) => emit(n, count)),
    record({
      n: nat(),
      how: constantFrom("succeed" as const, "fail" as const, "die" as const, "interrupt" as const)
    }).map(({ how, n }) => end(n, how)),
    record({ n: nat(), callers: integer({ min: 1, max: maxJobs }) }).map(({ callers, n }) => stop(n, callers)),
    nat().map(stopWhileItEnds),
    nat().map(resume),
    nat().map(resume),
    constant(stopAll),
    constant(unknown),
    integer({ min: 1, max: 4_000 }).map(wait),
    constantFrom("closes" as const, "crashes" as const).map(restart)
  ],
  { maxCommands: 60, size: "max" }
)
