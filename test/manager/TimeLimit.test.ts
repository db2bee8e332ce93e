/** Attempts that exceed the time limit of their kind. */
import { describe, expect, it } from "@effect/vitest"
import { type JobId, JobKind, RunStore } from "charlotte"
import { ScriptedOrchestrator, Step } from "charlotte/testing"
import { Chunk, Deferred, Effect, Exit, Fiber, Layer, Option, Schema, Scope, Stream, TestClock } from "effect"
import { poll } from "../../src/internal/RealClock.js"

class Report extends JobKind.Tag<Report>()("report", { config: Schema.Struct({}) }) {}

type Options = ScriptedOrchestrator.KindOptions<typeof Report>

const Script = ScriptedOrchestrator.ScriptedOrchestrator

const recordOf = (id: JobId.JobId) => Effect.flatMap(RunStore.RunStore, (store) => Effect.flatten(store.get(id)))

const typesOf = (id: JobId.JobId) =>
  Effect.flatMap(Report, ({ events }) =>
    Effect.map(Stream.runCollect(events(id)), (all) => Chunk.toReadonlyArray(all).map(({ type }) => type))
  )

const seen = (id: JobId.JobId, type: string) =>
  Effect.flatMap(Report, ({ events }) => Stream.runDrain(Stream.takeUntil(events(id), (event) => event.type === type)))

/** Starts a job that does these steps. */
const started = (...steps: ReadonlyArray<Step.Step<never>>) =>
  Effect.gen(function* () {
    const { began, send } = yield* Script
    const id = yield* Effect.flatMap(Report, ({ start }) => start({}))
    yield* send(id, ...steps)
    yield* began(id)
    return id
  })

const patience = { pause: 5, atMost: "20 seconds" } as const

/** A step that cannot be interrupted before it is allowed to end. */
const stubborn =
  (latch: Deferred.Deferred<void>): Step.Step<unknown> =>
  () =>
    Effect.uninterruptible(Deferred.await(latch))

const layer = (options: Options = {}) =>
  ScriptedOrchestrator.layerOf(Report, { timeout: "10 minutes", ...options }).pipe(
    Layer.provideMerge(RunStore.layerMemory)
  )

describe("a kind with a time limit", () => {
  it.scoped("interrupts an attempt that exceeds it, which fails", () =>
    Effect.gen(function* () {
      const reports = yield* Report
      const id = yield* started(Step.wait("1 day"))
      yield* TestClock.adjust("599 seconds")
      expect(yield* recordOf(id)).toMatchObject({ status: "running" })
      yield* TestClock.adjust("1 seconds")
      expect(yield* reports.await(id)).toMatchObject({
        status: "failed",
        error: { kind: "timeout", error: "the attempt exceeded its time limit, 10m" }
      })
      expect(yield* typesOf(id)).toEqual(["job.started", "job.timeout", "job.failed"])
      expect(yield* reports.health).not.toHaveProperty("overdue")
    }).pipe(Effect.provide(layer()))
  )

  it.scoped("leaves an attempt alone that ends in time, and one that has parked", () =>
    Effect.gen(function* () {
      const reports = yield* Report
      const done = yield* started(Step.wait("9 minutes"), Step.succeed("done"))
      const parked = yield* started(Step.park({ reason: "waits", signal: "go" }))
      yield* seen(parked, "job.parked")
      yield* TestClock.adjust("9 minutes")
      expect(yield* reports.await(done)).toMatchObject({ status: "completed", result: "done" })
      yield* TestClock.adjust("1 day")
      expect(yield* recordOf(parked)).toMatchObject({ status: "parked" })
      expect(yield* typesOf(done)).toEqual(["job.started", "job.completed"])
    }).pipe(Effect.provide(layer()))
  )

  it.scoped("counts what the attempt fails with by itself meanwhile", () =>
    Effect.gen(function* () {
      const latch = yield* Deferred.make<void>()
      const run = () => Effect.uninterruptible(Effect.zipRight(Deferred.await(latch), Effect.fail("late")))
      yield* Effect.gen(function* () {
        const reports = yield* Report
        const id = yield* reports.start({})
        yield* TestClock.adjust("10 minutes")
        yield* seen(id, "job.timeout")
        yield* Deferred.succeed(latch, undefined)
        expect(yield* reports.await(id)).toMatchObject({ error: { kind: "failure", error: "late" } })
      }).pipe(
        Effect.provide(Report.layer({ run, timeout: "10 minutes" }).pipe(Layer.provideMerge(RunStore.layerMemory)))
      )
    })
  )

  it.scoped("does not limit how long an attempt cleans up after it has succeeded", () =>
    Effect.gen(function* () {
      const reports = yield* Report
      const id = yield* started(Step.cleanUp("20 minutes"), Step.succeed("done"))
      yield* TestClock.adjust("20 minutes")
      expect(yield* reports.await(id)).toMatchObject({ status: "completed", result: "done" })
    }).pipe(Effect.provide(layer()))
  )

  it.scoped("is retried only once the work has ended, which is overdue until then and keeps its permit", () =>
    Effect.gen(function* () {
      const reports = yield* Report
      const { send } = yield* Script
      const latch = yield* Deferred.make<void>()
      const id = yield* started(stubborn(latch))
      yield* TestClock.adjust("10 minutes")
      yield* seen(id, "job.timeout")
      expect(yield* reports.health).not.toHaveProperty("overdue")
      yield* TestClock.adjust("5 seconds")
      expect(yield* reports.health).toMatchObject({ healthy: true, overdue: [id] })
      yield* TestClock.adjust("1 hour")
      expect(yield* recordOf(id)).toMatchObject({ status: "running", attempt: 1 })
      expect(yield* reports.activeCount).toBe(1)
      yield* Deferred.succeed(latch, undefined)
      yield* poll(recordOf(id), { until: ({ status }) => status === "parked", ...patience })
      expect(yield* recordOf(id)).toMatchObject({ tries: 1, parked: { retry: { n: 1, error: { kind: "timeout" } } } })
      yield* send(id, Step.wait("9 minutes"), Step.succeed("done"))
      yield* TestClock.adjust("1 minutes")
      yield* seen(id, "job.resumed")
      yield* TestClock.adjust("9 minutes")
      expect(yield* reports.await(id)).toMatchObject({ status: "completed", attempt: 2, result: "done" })
    }).pipe(Effect.provide(layer({ retry: { times: 1, delay: () => "1 minute" } })))
  )

  it.scoped("lists what the work has acquired and does not release as overdue, too", () =>
    Effect.gen(function* () {
      const reports = yield* Report
      const latch = yield* Deferred.make<void>()
      const id = yield* started(() => Effect.addFinalizer(() => Deferred.await(latch)), Step.wait("1 day"))
      yield* TestClock.adjust("10 minutes")
      yield* seen(id, "job.timeout")
      yield* TestClock.adjust("5 seconds")
      yield* poll(reports.health, { until: ({ overdue = [] }) => overdue.length > 0, ...patience })
      expect(yield* reports.health).toMatchObject({ healthy: true, overdue: [id] })
      yield* Deferred.succeed(latch, undefined)
      expect(yield* reports.await(id)).toMatchObject({ status: "failed", error: { kind: "timeout" } })
    }).pipe(Effect.provide(layer()))
  )

  it.scoped("leaves a job to the next manager that its own interrupts to close before the limit", () =>
    Effect.gen(function* () {
      const shared = yield* Layer.build(RunStore.layerMemory)
      const scope = yield* Scope.make()
      const interrupted = yield* Deferred.make<void>()
      const latch = yield* Deferred.make<void>()
      const saving = Effect.zipRight(Deferred.succeed(interrupted, undefined), Deferred.await(latch))
      const context = yield* ScriptedOrchestrator.layerOf(Report, { timeout: "10 minutes" }).pipe(
        Layer.provideMerge(Layer.succeedContext(shared)),
        Layer.buildWithScope(scope)
      )
      const id = yield* started(() => Effect.onInterrupt(Effect.never, () => saving)).pipe(Effect.provide(context))
      yield* TestClock.adjust("599 seconds")
      const closing = yield* Effect.fork(Scope.close(scope, Exit.void))
      yield* Deferred.await(interrupted)
      yield* TestClock.adjust("2 seconds")
      yield* Deferred.succeed(latch, undefined)
      yield* Fiber.join(closing)
      expect(yield* Effect.provide(recordOf(id), shared)).toMatchObject({ status: "interrupted" })
    })
  )

  it.scoped("is not retried with `timeouts: false`", () =>
    Effect.gen(function* () {
      const reports = yield* Report
      const id = yield* started(Step.wait("1 day"))
      yield* TestClock.adjust("10 minutes")
      expect(yield* reports.await(id)).toMatchObject({ status: "failed", error: { kind: "timeout" } })
    }).pipe(Effect.provide(layer({ retry: { times: 1, timeouts: false } })))
  )

  it.scoped("is cancelled if it is stopped while the work ends", () =>
    Effect.gen(function* () {
      const reports = yield* Report
      const latch = yield* Deferred.make<void>()
      const id = yield* started(stubborn(latch))
      yield* TestClock.adjust("10 minutes")
      yield* seen(id, "job.timeout")
      const stop = yield* Effect.fork(reports.stop(id))
      yield* seen(id, "job.stopping")
      yield* Deferred.succeed(latch, undefined)
      yield* TestClock.adjust("1 seconds")
      expect(yield* Fiber.join(stop)).toMatchObject({ status: "cancelled" })
      expect(yield* typesOf(id)).toEqual(["job.started", "job.timeout", "job.stopping", "job.cancelled"])
      expect(Option.isNone(yield* reports.get(id))).toBe(true)
    }).pipe(Effect.provide(layer({ retry: { times: 1 } })))
  )
})
