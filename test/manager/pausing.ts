/**
 * The conformance suite of `pause` and `unpause`, on any store, on one machine or as a node of a cluster.
 */
import { describe, expect, it } from "@effect/vitest"
import { type errors, type JobId, JobKind, RunStore } from "charlotte"
import { Context, Deferred, Effect, Exit, Fiber, Layer, Logger, LogLevel, Ref, Schema, Scope } from "effect"
import { poll } from "../../src/internal/RealClock.js"

/** A job ends at once, waits for the test, parks for a signal, or fails once when the test says so. */
export class Work extends JobKind.Tag<Work>()("work", {
  config: Schema.Struct({ does: Schema.Literal("ends", "waits", "parks", "fails") })
}) {}

interface Options extends JobKind.LayerOptions<typeof Work, never, never> {
  /** How many jobs a node runs at once. */
  readonly capacity?: number
}

/** How a manager of the kind is made, on a store. */
export type Making = (options: Options) => Layer.Layer<Work, errors.StoreError, RunStore.RunStore>

const { RunStore: Store } = RunStore

const recordOf = (id: JobId.JobId) => Effect.flatMap(Store, (store) => Effect.flatten(store.get(id)))

const has = (id: JobId.JobId, status: string) =>
  poll(recordOf(id), { until: (run) => run.status === status, pause: 5, atMost: "20 seconds" })

/** Each pause is a line of the log. */
const quiet = Logger.withMinimumLogLevel(LogLevel.None)

const refusal = { _tag: "KindPaused", kind: "work" }

export const pausing = (name: string, work: Making, store: Layer.Layer<RunStore.RunStore, errors.StoreError>) => {
  const working = (options: Partial<Options> = {}) =>
    Effect.gen(function* () {
      const go = yield* Deferred.make<void>()
      const began = yield* Ref.make(0)
      const layer = work({
        maxJobs: 1,
        recovery: "manual",
        retry: { times: 1, delay: { base: 1 } },
        ...options,
        run: (job) =>
          Effect.gen(function* () {
            yield* Ref.update(began, (n) => n + 1)
            const { does } = job.config
            if (does === "waits") return yield* Deferred.await(go)
            if (does === "fails") yield* Deferred.await(go)
            if (job.attempt > 1 || does === "ends") return
            return yield* does === "fails" ? Effect.fail("failed") : job.park({ reason: "waits", signal: "go" })
          })
      })
      return { layer, began: Ref.get(began), go: Deferred.succeed(go, undefined) }
    })

  /** A manager on the store, and what ends it. */
  const opened = (layer: Layer.Layer<Work, errors.StoreError, RunStore.RunStore>) =>
    Effect.gen(function* () {
      const scope = yield* Effect.acquireRelease(Scope.make(), (scope) => Scope.close(scope, Exit.void))
      const manager = Context.get(yield* Layer.buildWithScope(layer, scope), Work)
      return { manager, close: Scope.close(scope, Exit.void) }
    })

  describe(`the limit of a kind, ${name}`, () => {
    it.live("changes while jobs run: a lower one stops no job, and a higher one begins what waits", () =>
      Effect.gen(function* () {
        const { go, layer } = yield* working({ maxJobs: 2, capacity: 9 })
        const { manager } = yield* opened(layer)
        const start = manager.start({ does: "waits" })
        const running = [yield* start, yield* start]
        const queued = yield* manager.start({ does: "waits" }, { whenFull: "queue" })
        yield* manager.limit(1, { by: "ann" })
        expect(yield* manager.maxJobs).toBe(1)
        expect(yield* manager.list).toEqual(running)
        expect(yield* Effect.flip(start)).toMatchObject({ _tag: "MaxJobsReached", maxJobs: 1 })
        yield* manager.limit(3)
        yield* has(queued, "running")
        expect(yield* Effect.flip(start)).toMatchObject({ _tag: "MaxJobsReached", maxJobs: 3 })
        yield* manager.limit("default")
        expect(yield* manager.maxJobs).toBe(2)
        yield* go
        for (const id of [...running, queued]) expect(yield* manager.await(id)).toMatchObject({ status: "completed" })
      }).pipe(Effect.scoped, quiet, Effect.provide(store))
    )
  })

  describe(`a paused kind, ${name}`, () => {
    it.live("lets a running job go on, refuses a start, and begins queued jobs once it is unpaused", () =>
      Effect.gen(function* () {
        const { go, layer } = yield* working({ maxJobs: 9 })
        const { manager } = yield* opened(layer)
        const running = yield* manager.start({ does: "waits" })
        yield* manager.pause({ by: "ann" })
        expect(yield* Effect.flip(manager.start({ does: "ends" }))).toMatchObject(refusal)
        expect(yield* Effect.flip(manager.start({ does: "ends" }, { key: "k" }))).toMatchObject(refusal)
        const queued = yield* manager.start({ does: "ends" }, { whenFull: "queue" })
        const more = yield* manager.startMany([{ does: "ends" }])
        expect(more).toMatchObject([{ _tag: "Right" }])
        expect(yield* recordOf(queued)).toMatchObject({ status: "pending", waitsFor: "paused" })
        yield* go
        expect(yield* manager.await(running)).toMatchObject({ status: "completed" })
        expect(yield* recordOf(queued)).toMatchObject({ status: "pending" })
        yield* manager.unpause()
        expect(yield* manager.await(queued)).toMatchObject({ status: "completed" })
        expect(yield* manager.await(yield* manager.start({ does: "ends" }))).toMatchObject({ status: "completed" })
      }).pipe(Effect.scoped, quiet, Effect.provide(store))
    )

    it.live("decides in the order that is documented: config, idempotency key and key come first", () =>
      Effect.gen(function* () {
        const { layer } = yield* working({ maxJobs: 9 })
        const { manager } = yield* opened(layer)
        const held = yield* manager.start({ does: "waits" }, { key: "k", idempotencyKey: "i" })
        yield* manager.pause()
        expect(yield* manager.start({ does: "waits" }, { key: "k", idempotencyKey: "i" })).toBe(held)
        expect(yield* manager.start({ does: "ends" }, { key: "k", whenKeyTaken: "attach" })).toBe(held)
        const conflict = yield* Effect.flip(manager.start({ does: "ends" }, { key: "k" }))
        expect(conflict).toMatchObject({ _tag: "JobConflict", jobId: held })
        const behind = yield* manager.start({ does: "ends" }, { key: "k", whenKeyTaken: "queue" })
        expect(yield* recordOf(behind)).toMatchObject({ status: "pending", waitsFor: "key" })
        const later = yield* manager.start({ does: "ends" }, { delay: "1 hour" })
        expect(yield* recordOf(later)).toMatchObject({ status: "pending", waitsFor: "time" })
      }).pipe(Effect.scoped, quiet, Effect.provide(store))
    )

    it.live("keeps what is due waiting: a job whose signal has come, a retry, and a job that is resumed", () =>
      Effect.gen(function* () {
        const { began, go, layer } = yield* working({ maxJobs: 9 })
        const { manager } = yield* opened(layer)
        const parked = yield* manager.start({ does: "parks" })
        const resumed = yield* manager.start({ does: "parks" })
        yield* has(parked, "parked")
        yield* has(resumed, "parked")
        const failing = yield* manager.start({ does: "fails" })
        yield* manager.pause()
        yield* go
        yield* manager.signal(parked, "go")
        yield* manager.resume(resumed)
        const isPaused = (id: JobId.JobId) =>
          poll(recordOf(id), { until: ({ waitsFor }) => waitsFor === "paused", pause: 5, atMost: "20 seconds" })
        for (const id of [parked, resumed, failing]) expect((yield* isPaused(id)).status).toBe("parked")
        expect(yield* began).toBe(3)
        yield* manager.unpause()
        for (const id of [parked, resumed, failing]) expect(yield* manager.await(id)).toMatchObject({ attempt: 2 })
      }).pipe(Effect.scoped, quiet, Effect.provide(store))
    )

    it.live("holds up no attempt for a stop", () =>
      Effect.gen(function* () {
        const { began, layer } = yield* working({ maxJobs: 9, onStop: "run" })
        const { manager } = yield* opened(layer)
        const parked = yield* manager.start({ does: "parks" })
        yield* has(parked, "parked")
        yield* manager.pause()
        const queued = yield* manager.start({ does: "ends" }, { whenFull: "queue" })
        expect(yield* manager.stop(parked)).toMatchObject({ status: "cancelled", mode: "graceful" })
        expect(yield* recordOf(parked)).toMatchObject({ status: "cancelled", attempt: 2 })
        expect(yield* recordOf(queued)).toMatchObject({ status: "pending", waitsFor: "paused" })
        expect(yield* began).toBe(2)
      }).pipe(Effect.scoped, quiet, Effect.provide(store))
    )

    it.live(
      "stays paused for the next manager, refuses to resume an interrupted job, and its jobs can be stopped",
      () =>
        Effect.gen(function* () {
          const { layer } = yield* working({ maxJobs: 9 })
          const first = yield* opened(layer)
          const interrupted = yield* first.manager.start({ does: "waits" })
          yield* first.manager.pause()
          const queued = yield* first.manager.start({ does: "ends" }, { whenFull: "queue" })
          yield* first.close
          const { manager } = yield* opened(layer)
          expect(yield* recordOf(interrupted)).toMatchObject({ status: "interrupted", waitsFor: "paused" })
          expect(yield* Effect.flip(manager.resume(interrupted))).toMatchObject(refusal)
          expect(yield* Effect.flip(manager.start({ does: "ends" }))).toMatchObject(refusal)
          expect(yield* manager.stop(queued)).toMatchObject({ status: "cancelled" })
          expect(yield* manager.stop(interrupted)).toMatchObject({ status: "cancelled" })
          yield* manager.unpause()
          expect(yield* manager.await(yield* manager.start({ does: "ends" }))).toMatchObject({ status: "completed" })
        }).pipe(Effect.scoped, quiet, Effect.provide(store))
    )

    it.live("begins nothing after pause has returned, whatever is started meanwhile", () =>
      Effect.gen(function* () {
        const { layer } = yield* working({ maxJobs: 100 })
        const { manager } = yield* opened(layer)
        const begun = Effect.map(
          Effect.flatMap(Store, (store) => store.list({ limit: 1_000 })),
          (runs) => runs.filter(({ startedAt }) => startedAt !== undefined).map(({ id }) => id)
        )
        for (let round = 0; round < 5; round++) {
          const starts = yield* Effect.fork(
            Effect.forEach(
              Array.from({ length: 20 }, (_, n) => n),
              (n) => Effect.exit(manager.start({ does: "ends" }, { ...(n % 2 === 0 && { whenFull: "queue" }) })),
              { concurrency: "unbounded" }
            )
          )
          yield* Effect.yieldNow()
          yield* manager.pause()
          const before = yield* begun
          yield* Fiber.join(starts)
          expect(yield* begun).toEqual(before)
          yield* manager.unpause()
        }
      }).pipe(Effect.scoped, quiet, Effect.provide(store))
    )
  })
}
