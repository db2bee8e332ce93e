import { describe, expect, it } from "@effect/vitest"
import { type JobEvent, JobManager, RunStore } from "charlotte"
import { Array, Chunk, Deferred, Effect, Exit, Fiber, Queue, Schema, Scope, Stream } from "effect"

/** A manager of a kind of its own, whose jobs emit so many events and end. */
const manage = (kind: string) =>
  JobManager.make({
    kind,
    config: Schema.Struct({ events: Schema.Int }),
    orchestrator: {
      run: ({ config, emit }) =>
        Effect.forEach(Array.range(1, config.events), (n) => emit({ type: `${kind}.count`, payload: n }))
    }
  })

/** Takes events until so many jobs have ended. */
const untilEnded = <E>(events: Stream.Stream<JobEvent.JobEvent, E>, jobs: number) =>
  events.pipe(
    Stream.mapAccum(0, (ended, event) => {
      const now = event.type === "job.completed" ? ended + 1 : ended
      return [now, { event, now }]
    }),
    Stream.takeUntil(({ now }) => now === jobs),
    Stream.map(({ event }) => event),
    Stream.runCollect,
    Effect.map(Chunk.toReadonlyArray)
  )

const summary = (events: ReadonlyArray<JobEvent.JobEvent>) => events.map(({ jobId, seq }) => `${jobId} ${seq}`)

describe("the events of all jobs", () => {
  it.scopedLive("are those of one manager, each job's in order, with cursors that rise", () =>
    Effect.gen(function* () {
      const [left, right] = yield* Effect.all([manage("left"), manage("right")])
      const live = yield* Effect.fork(untilEnded(left.allEvents(), 5))
      const ids = yield* Effect.forEach(Array.range(1, 5), (n) =>
        Effect.zipLeft(left.start({ events: n * 100 }), right.start({ events: 300 }))
      )
      const events = yield* Fiber.join(live)

      expect(events.map(({ cursor }) => cursor)).toEqual(events.map(({ cursor }) => cursor).sort((a, b) => a - b))
      expect(new Set(events.map(({ cursor }) => cursor)).size).toBe(events.length)
      for (const [i, id] of ids.entries()) {
        const seqs = events.filter(({ jobId }) => jobId === id).map(({ seq }) => seq)
        expect(seqs).toEqual(Array.range(1, (i + 1) * 100 + 2))
      }
      expect(new Set(events.map(({ jobId }) => jobId))).toEqual(new Set(ids))
      expect(new Set(events.map(({ type }) => type))).toEqual(new Set(["job.started", "left.count", "job.completed"]))

      // A later subscriber sees the same, from any cursor.
      for (const from of [0, 1, 255, 256, 257, events.length - 1]) {
        const after = events[from - 1]?.cursor ?? 0
        const jobs = events.slice(from).filter(({ type }) => type === "job.completed").length
        expect(summary(yield* untilEnded(left.allEvents({ after }), jobs))).toEqual(summary(events.slice(from)))
      }
    }).pipe(Effect.provide(RunStore.layerMemory))
  )

  it.scopedLive("begin with what comes next, for those who ask for the latest", () =>
    Effect.gen(function* () {
      const looked = yield* Deferred.make<void>()
      const store = yield* RunStore.RunStore
      const latestCursor = Effect.zipLeft(store.latestCursor, Deferred.succeed(looked, undefined))
      const manager = yield* manage("left").pipe(Effect.provideService(RunStore.RunStore, { ...store, latestCursor }))
      yield* manager.await(yield* manager.start({ events: 10 }))
      const latest = yield* Effect.fork(untilEnded(manager.allEvents({ after: "latest" }), 1))
      yield* Deferred.await(looked)
      const id = yield* manager.start({ events: 3 })
      expect(summary(yield* Fiber.join(latest))).toEqual(Array.range(1, 5).map((seq) => `${id} ${seq}`))
    }).pipe(Effect.provide(RunStore.layerMemory))
  )

  it.scopedLive("end after the last one that is written, when the manager closes", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const manager = yield* JobManager.make({
        kind: "endless",
        config: Schema.Struct({}),
        orchestrator: {
          run: ({ emit }) => Effect.addFinalizer(() => emit({ type: "last.word" })).pipe(Effect.zipRight(Effect.never))
        }
      }).pipe(Scope.extend(scope))
      const id = yield* manager.start({})
      const shown = yield* Queue.unbounded<string>()
      const read = <E>(events: Stream.Stream<JobEvent.JobEvent, E>) =>
        Stream.runCollect(Stream.tap(events, ({ type }) => Queue.offer(shown, type)))
      const readers = yield* Effect.forEach([manager.allEvents(), manager.events(id)], (events) =>
        Effect.fork(read(events))
      )
      yield* Queue.takeN(shown, 2)

      yield* Scope.close(scope, Exit.void)
      for (const reader of readers) {
        const types = Chunk.toReadonlyArray(yield* Fiber.join(reader)).map(({ type }) => type)
        expect(types).toEqual(["job.started", "last.word", "job.interrupted"])
      }
    }).pipe(Effect.provide(RunStore.layerMemory))
  )
})
