import { describe, expect, it } from "@effect/vitest"
import { type JobEvent, JobManager, RunStore } from "charlotte"
import { ScriptedOrchestrator, Step } from "charlotte/testing"
import { Array, Chunk, Deferred, Effect, Fiber, Layer, Logger, LogLevel, Option, Stream } from "effect"
import { databaseFile, life, seen, startJob, typesOf } from "./lives.js"

const { JobManager: Manager } = JobManager
const Script = ScriptedOrchestrator.ScriptedOrchestrator

const collect = <E>(events: Stream.Stream<JobEvent.JobEvent, E>) =>
  Effect.map(Stream.runCollect(events), Chunk.toReadonlyArray)

it.scopedLive("changes of state are written while the queue of emitted events is full", () =>
  Effect.gen(function* () {
    const open = yield* Deferred.make<void>()
    const slow = Layer.effect(
      RunStore.RunStore,
      Effect.map(RunStore.RunStore, (store) => ({
        ...store,
        append: (emitted: Parameters<typeof store.append>[0]) =>
          Effect.zipRight(Deferred.await(open), store.append(emitted))
      }))
    ).pipe(Layer.provide(RunStore.layerMemory))

    yield* Effect.gen(function* () {
      const manager = yield* Manager
      const { send } = yield* Script
      const id = yield* startJob
      let accepted = 0
      const flood = (job: Parameters<Step.Step>[0]) =>
        Effect.forever(
          Effect.suspend(() => {
            const emitting = job.emit({ type: "flood", payload: accepted })
            return Effect.map(emitting, () => {
              accepted += 1
            })
          })
        )
      yield* send(id, flood)
      // It stands still when nothing more is accepted.
      yield* Effect.repeat(
        Effect.suspend(() => {
          const before = accepted
          return Effect.as(Effect.sleep(5), accepted > 0 && accepted === before)
        }),
        { until: (still) => still }
      )
      expect(accepted).toBeLessThan(3_000)

      const stopping = yield* Effect.fork(manager.stop(id))
      yield* seen(id, "job.stopping")
      const other = yield* startJob
      yield* seen(other, "job.started")

      yield* Deferred.succeed(open, undefined)
      expect((yield* Fiber.join(stopping)).status).toBe("cancelled")
      const events = yield* collect(manager.events(id))
      expect(events.map(({ seq }) => seq)).toEqual(Array.range(1, accepted + 3))
      expect(events.filter(({ type }) => type === "flood").map(({ payload }) => payload)).toEqual(
        Array.range(0, accepted - 1)
      )
      expect(events.at(-1)?.type).toBe("job.cancelled")
    }).pipe(
      Effect.provide(JobManager.layer().pipe(Layer.provideMerge(Layer.merge(ScriptedOrchestrator.layer(), slow))))
    )
  })
)

it.scopedLive("an event that is committed while a reader reads the page before it is not missed", () =>
  Effect.gen(function* () {
    const orchestrator = ScriptedOrchestrator.layer()
    /** Emits while an empty page is on its way to the reader. */
    const busy = Layer.effect(
      RunStore.RunStore,
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        const { send } = yield* Script
        let left = 10
        const events: typeof store.events = (query) =>
          Effect.tap(store.events(query), (page) =>
            Effect.gen(function* () {
              if (Option.isNone(page) || page.value.events.length > 0 || left-- <= 0) return
              const committed = yield* Deferred.make<void>()
              yield* send(query.jobId, Step.emit({ type: "meanwhile" }), Step.flush, () =>
                Effect.asVoid(Deferred.succeed(committed, undefined))
              )
              yield* Deferred.await(committed)
            })
          )
        return { ...store, events }
      })
    ).pipe(Layer.provide([RunStore.layerMemory, orchestrator]))

    yield* Effect.gen(function* () {
      const manager = yield* Manager
      const { send } = yield* Script
      const id = yield* startJob
      const tenth = Stream.take(manager.events(id), 11)
      expect((yield* collect(tenth)).map(({ seq }) => seq)).toEqual(Array.range(1, 11))
      yield* send(id, Step.succeed(1))
      yield* manager.await(id)
    }).pipe(Effect.provide(JobManager.layer().pipe(Layer.provideMerge(Layer.merge(orchestrator, busy)))))
  })
)

it.scopedLive("a job ends even when its events cannot be written for a bug", () =>
  Effect.gen(function* () {
    const broken = Layer.effect(
      RunStore.RunStore,
      Effect.map(RunStore.RunStore, (store) => ({ ...store, append: () => Effect.die("a bug in the store") }))
    ).pipe(Layer.provide(RunStore.layerMemory))
    yield* Effect.gen(function* () {
      const manager = yield* Manager
      const { send } = yield* Script
      const id = yield* startJob
      yield* send(id, Step.emit({ type: "lost" }), Step.flush, Step.succeed(1))
      expect((yield* manager.await(id)).status).toBe("completed")
    }).pipe(
      Effect.provide(JobManager.layer().pipe(Layer.provideMerge(Layer.merge(ScriptedOrchestrator.layer(), broken)))),
      Logger.withMinimumLogLevel(LogLevel.None)
    )
  })
)

describe("a stream of events", () => {
  it.scopedLive("spans the attempts of a job without a gap", () =>
    Effect.gen(function* () {
      const file = yield* databaseFile
      const id = yield* startJob.pipe(life(file))
      for (const attempt of [2, 3, 4]) {
        const watching = yield* Effect.gen(function* () {
          const manager = yield* Manager
          const { send } = yield* Script
          const watching = yield* Effect.forkDaemon(collect(manager.events(id)))
          yield* seen(id, "job.interrupted")
          yield* manager.resume(id)
          yield* send(id, Step.emit({ type: `attempt.${attempt}` }))
          yield* seen(id, `attempt.${attempt}`)
          if (attempt === 4) {
            yield* send(id, Step.succeed(1))
            yield* manager.await(id)
          }
          return watching
        }).pipe(life(file, { recovery: "manual" }))
        const watched = yield* Fiber.join(watching)
        expect(watched.map(({ seq }) => seq)).toEqual(Array.range(1, watched.length))
        expect(watched.at(-1)?.type).toBe(attempt === 4 ? "job.completed" : "job.interrupted")
      }
      const types = yield* typesOf(id).pipe(life(file))
      expect(types).toEqual([
        "job.started",
        ...[2, 3, 4].flatMap((attempt) => ["job.interrupted", "job.resumed", `attempt.${attempt}`]),
        "job.completed"
      ])
    })
  )
})
