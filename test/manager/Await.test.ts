import { describe, expect, it } from "@effect/vitest"
import { type JobId, JobManager, Orchestrator, RunStore } from "charlotte"
import { Deferred, Effect, Fiber, Layer, Option, TestClock } from "effect"
import { config } from "../support/jobs.js"
import { interleaved } from "../support/interleaving.js"

/** Each sample has a manager of its own, which leaves alone what the one before has interrupted on their common store. */
const layer = JobManager.layer({ maxJobs: 1, recovery: "manual" }).pipe(
  Layer.provide(Orchestrator.layer(() => Effect.yieldNow()))
)

const seeds = Array.from({ length: 100 }, (_, seed) => seed + 1)

/** Polls the record of the only job until it has ended, which is before its permit is free. */
const recorded = (id: Effect.Effect.Success<ReturnType<JobManager.JobManager["Type"]["start"]>>) =>
  Effect.flatMap(RunStore.RunStore, ({ get }) =>
    Effect.repeat(Effect.zipLeft(get(id), Effect.yieldNow()), {
      until: Option.exists(({ endedAt }) => endedAt !== undefined),
      times: 1_000
    })
  )

describe("the permit of a job that has ended", () => {
  it.live("is free when await returns, also to a caller between the record and the release", () =>
    Effect.forEach(
      seeds,
      (seed) =>
        Effect.gen(function* () {
          const manager = yield* JobManager.JobManager
          const id = yield* manager.start(config)
          yield* recorded(id)
          yield* manager.await(id)
          return yield* manager.start(config)
        }).pipe(Effect.provide(layer), interleaved(seed), Effect.either),
      { discard: false }
    ).pipe(
      Effect.map((answers) => expect(answers.filter(({ _tag }) => _tag === "Left")).toEqual([])),
      Effect.provide(RunStore.layerMemory)
    )
  )

  it.live("is free when stop returns, too", () =>
    Effect.forEach(seeds, (seed) =>
      Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        const id = yield* manager.start(config)
        yield* recorded(id)
        expect((yield* manager.stop(id)).mode).toBe("alreadyEnded")
        return yield* manager.start(config)
      }).pipe(Effect.provide(layer), interleaved(seed), Effect.either)
    ).pipe(
      Effect.map((answers) => expect(answers.filter(({ _tag }) => _tag === "Left")).toEqual([])),
      Effect.provide(RunStore.layerMemory)
    )
  )
})

describe("a manager with one permit", () => {
  it.live("never counts or lists more than one job, also while one takes the permit of another", () =>
    Effect.forEach(seeds, (seed) =>
      Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        yield* manager.start(config)
        const next = Effect.retry(
          Effect.tapError(manager.start(config), () => Effect.yieldNow()),
          { times: 1_000 }
        )
        const starting = yield* Effect.fork(next)
        const counts: Array<number> = []
        while (starting.unsafePoll() === null) {
          counts.push(yield* manager.activeCount, (yield* manager.list).length)
          yield* Effect.yieldNow()
        }
        yield* Fiber.join(starting)
        return Math.max(...counts)
      }).pipe(Effect.provide(layer), interleaved(seed))
    ).pipe(
      Effect.map((most) => expect(Math.max(...most)).toBe(1)),
      Effect.provide(RunStore.layerMemory)
    )
  )
})

describe("a job that list no longer has", () => {
  it.live("is not found by get either", () =>
    Effect.forEach(seeds, (seed) =>
      Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        const id = yield* manager.start(config)
        yield* Effect.repeat(Effect.zipLeft(manager.list, Effect.yieldNow()), {
          until: (ids) => !ids.includes(id),
          times: 1_000
        })
        return Option.isNone(yield* manager.get(id))
      }).pipe(Effect.provide(layer), interleaved(seed))
    ).pipe(
      Effect.map((gone) => expect(gone).toEqual(seeds.map(() => true))),
      Effect.provide(RunStore.layerMemory)
    )
  )
})

describe("a job that is resumed after a caller has found it inactive", () => {
  const interrupted = JobManager.layer().pipe(Layer.provide(Orchestrator.layer(() => Effect.never)))
  const resuming = JobManager.layer({ recovery: "manual" }).pipe(Layer.provide(Orchestrator.layer(() => Effect.void)))
  const ends = {
    await: ({ await: end }: JobManager.JobManager["Type"], id: JobId.JobId) => Effect.asVoid(end(id)),
    stop: ({ stop }: JobManager.JobManager["Type"], id: JobId.JobId) => Effect.asVoid(stop(id))
  }
  for (const [name, end] of Object.entries(ends)) {
    it.effect(`has left the registry when ${name} returns`, () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        const id = yield* Effect.flatMap(JobManager.JobManager, ({ start }) => start(config)).pipe(
          Effect.provide(interrupted)
        )
        const reading = yield* Deferred.make<void>()
        const recorded = yield* Deferred.make<void>()
        const answered = yield* Deferred.make<void>()
        // The first reading is of a run that has ended already; the manager learns of that record later.
        const held = {
          ...store,
          get: (jobId: JobId.JobId) =>
            Effect.flatMap(Deferred.succeed(reading, undefined), (isFirst) =>
              Effect.zipRight(isFirst ? Deferred.await(recorded) : Effect.void, store.get(jobId))
            ),
          record: (change: RunStore.Change) =>
            Effect.tap(store.record(change), () =>
              change.type === "job.completed"
                ? Effect.zipRight(Deferred.succeed(recorded, undefined), Deferred.await(answered))
                : Effect.void
            )
        }
        yield* Effect.gen(function* () {
          const manager = yield* JobManager.JobManager
          const ended = yield* Effect.fork(end(manager, id))
          yield* Deferred.await(reading)
          yield* manager.resume(id)
          yield* Deferred.await(recorded)
          yield* TestClock.adjust("1 millis")
          expect(ended.unsafePoll()).toBeNull()
          yield* Deferred.succeed(answered, undefined)
          yield* Fiber.join(ended)
          expect(yield* manager.activeCount).toBe(0)
        }).pipe(Effect.provide(resuming), Effect.provideService(RunStore.RunStore, held))
      }).pipe(Effect.provide(RunStore.layerMemory))
    )
  }
})
