/** A stop of a job that waits, of a kind whose jobs run once more to compensate. */
import { describe, expect, it } from "@effect/vitest"
import { Database, type JobId, JobKind, RunStore } from "charlotte"
import { Context, Deferred, Effect, Exit, Fiber, Layer, Ref, Schema, Scope } from "effect"
import { poll } from "../../src/internal/RealClock.js"
import * as Audit from "../../src/store/Audit.js"
import { at, newRun } from "../store/runs.js"

class Order extends JobKind.Tag<Order>()("order", { config: Schema.Struct({}) }) {}

type Options = JobKind.LayerOptions<typeof Order, never, never>
type Job = Parameters<Options["run"]>[0]
type Work = (job: Job) => Effect.Effect<unknown, unknown>

const go = { reason: "waits", signal: "go" } as const

/** Parks, and does something else once it is stopped. */
const parking =
  (compensate: Work): Work =>
  (job) =>
    Effect.flatMap(job.stopping, (isStopping) => (isStopping ? compensate(job) : job.park(go)))

/** A store, and how to give it managers. */
const world = Effect.gen(function* () {
  const services = yield* Layer.build(RunStore.layer.pipe(Layer.provideMerge(Database.layer({ filename: ":memory:" }))))
  const { get, lifecycle, ...others } = Context.get(services, RunStore.RunStore)
  const recordOf = (id: JobId.JobId) => Effect.flatten(get(id))
  const managed = (run: Work, options: Partial<Options> = {}) =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      yield* Effect.addFinalizer(() => Scope.close(scope, Exit.void))
      const layer = Order.layer({ run, onStop: "run", stopGrace: "10 minutes", ...options })
      const built = yield* Layer.buildWithScope(Layer.provide(layer, Layer.succeedContext(services)), scope)
      return { orders: Context.get(built, Order), close: Scope.close(scope, Exit.void) }
    })
  return {
    managed,
    recordOf,
    store: others,
    waitsFor: (id: JobId.JobId, waitsFor: string) =>
      poll(recordOf(id), { until: (run) => run.waitsFor === waitsFor, pause: 5, atMost: "2 minutes" }),
    types: (id: JobId.JobId) => Effect.map(lifecycle(id), (events) => events.map(({ type }) => type)),
    violations: Effect.map(Effect.provide(Audit.run(), services), ({ violations }) => violations)
  }
})

/** Numbers jobs in the order of their first attempts. */
const numbering = Effect.map(Ref.make<ReadonlyArray<JobId.JobId>>([]), (seen) => ({
  orderOf: ({ id }: Job) =>
    Ref.modify(seen, (all) => {
      const known = all.includes(id) ? all : [...all, id]
      return [known.indexOf(id) + 1, known]
    })
}))

describe("a stop of a waiting job that runs for it", () => {
  const ends: ReadonlyArray<readonly [string, Work, error: unknown]> = [
    ["succeeds", () => Effect.succeed("compensated"), undefined],
    ["fails", () => Effect.fail("no"), "no"],
    ["parks", ({ park }) => park(go), undefined]
  ]
  for (const [how, compensate, error] of ends) {
    it.scopedLive(`runs one more attempt, and cancels the job if that ${how}`, () =>
      Effect.gen(function* () {
        const { managed, recordOf, types, violations, waitsFor } = yield* world
        const { orders } = yield* managed(parking(compensate), { retry: { times: 3 } })
        const id = yield* orders.start({})
        yield* waitsFor(id, "signal")
        expect(yield* orders.stop(id, { by: "ada" })).toMatchObject({ status: "cancelled", mode: "graceful" })
        const { error: found, status, attempt } = yield* recordOf(id)
        expect([status, attempt]).toEqual(["cancelled", 2])
        expect(found?.error).toBe(error)
        expect(yield* types(id)).toEqual([
          ...["job.started", "job.parked", "job.resumed", "job.stopping", "job.cancelled"]
        ])
        expect(yield* orders.stop(id)).toMatchObject({ status: "cancelled", mode: "alreadyEnded" })
        expect(yield* violations).toEqual([])
      })
    )
  }

  it.scopedLive("cancels a pending job at once, and with a grace of 0 a parked one, too", () =>
    Effect.gen(function* () {
      const { managed, types, waitsFor } = yield* world
      const { orders } = yield* managed(
        parking(() => Effect.die("it runs")),
        { maxJobs: 1 }
      )
      const parked = yield* orders.start({})
      yield* waitsFor(parked, "signal")
      const pending = yield* orders.start({}, { delay: "1 day" })
      for (const [id, grace] of [
        [pending, "10 minutes"],
        [parked, 0]
      ] as const) {
        expect(yield* orders.stop(id, { grace })).toMatchObject({ status: "cancelled", mode: "graceful" })
      }
      expect(yield* types(pending)).toEqual(["job.queued", "job.cancelled"])
      expect(yield* types(parked)).toEqual(["job.started", "job.parked", "job.cancelled"])
    })
  )

  it.scopedLive("waits for a permit at most its grace; the job stays due", () =>
    Effect.gen(function* () {
      const { managed, types, waitsFor } = yield* world
      const free = yield* Deferred.make<void>()
      const { orderOf } = yield* numbering
      const work: Work = (job) =>
        Effect.flatMap(orderOf(job), (n) => (n === 1 ? parking(() => Effect.void)(job) : Deferred.await(free)))
      const { orders } = yield* managed(work, { maxJobs: 1 })
      const id = yield* orders.start({})
      yield* waitsFor(id, "signal")
      const other = yield* orders.start({})
      expect(yield* Effect.flip(orders.stop(id, { grace: 20 }))).toMatchObject({ _tag: "StopTimedOut", jobId: id })
      yield* Deferred.succeed(free, undefined)
      expect(yield* orders.await(id)).toMatchObject({ status: "cancelled", attempt: 2 })
      expect(yield* orders.await(other)).toMatchObject({ status: "completed" })
      expect((yield* types(id)).slice(-3)).toEqual(["job.resumed", "job.stopping", "job.cancelled"])
    })
  )

  it.scopedLive("goes on in the next manager if its own closes meanwhile", () =>
    Effect.gen(function* () {
      const { managed, types, violations, waitsFor } = yield* world
      const compensating = yield* Deferred.make<void>()
      const first = yield* managed(
        parking(() => Effect.zipRight(Deferred.succeed(compensating, undefined), Effect.never))
      )
      const id = yield* first.orders.start({})
      yield* waitsFor(id, "signal")
      const stop = yield* Effect.fork(first.orders.stop(id))
      yield* Deferred.await(compensating)
      yield* first.close
      expect(yield* Effect.flip(Fiber.join(stop))).toMatchObject({ _tag: "StoreError", reason: "closed" })
      const ran = yield* Ref.make(0)
      const next = yield* managed(parking(() => Ref.update(ran, (n) => n + 1)))
      expect(yield* next.orders.await(id)).toMatchObject({ status: "cancelled", attempt: 3 })
      expect(yield* Ref.get(ran)).toBe(1)
      expect(yield* types(id)).toEqual([
        ...["job.started", "job.parked", "job.resumed", "job.stopping", "job.interrupted"],
        ...["job.resumed", "job.stopping", "job.cancelled"]
      ])
      expect(yield* violations).toEqual([])
    })
  )

  it.scopedLive("goes on after a crash in which a running job was being stopped", () =>
    Effect.gen(function* () {
      const { managed, store: dead, types, violations } = yield* world
      const { config: _, ...run } = newRun(1, { kind: "order" })
      yield* dead.create({ ...run, config: {} })
      yield* dead.record({ type: "job.stopping", jobId: run.id, attempt: 1, at: at(2) })
      const { orders } = yield* managed(parking(() => Effect.void))
      expect(yield* orders.await(run.id)).toMatchObject({ status: "cancelled", attempt: 2 })
      expect(yield* types(run.id)).toEqual([
        ...["job.started", "job.stopping", "job.interrupted", "job.resumed", "job.stopping", "job.cancelled"]
      ])
      expect(yield* violations).toEqual([])
    })
  )

  it.scopedLive("is joined by a second stop, and cut short by one with a grace of 0", () =>
    Effect.gen(function* () {
      const { managed, waitsFor } = yield* world
      const ran = yield* Ref.make(0)
      const compensating = yield* Deferred.make<void>()
      const work = parking(() =>
        Ref.update(ran, (n) => n + 1).pipe(
          Effect.zipRight(Deferred.succeed(compensating, undefined)),
          Effect.zipRight(Effect.never)
        )
      )
      const { orders } = yield* managed(work)
      const id = yield* orders.start({})
      yield* waitsFor(id, "signal")
      const stops = yield* Effect.forEach([1, 2], () => Effect.fork(orders.stop(id)))
      yield* Deferred.await(compensating)
      expect(yield* orders.stop(id, { grace: 0 })).toMatchObject({ status: "cancelled", mode: "graceful" })
      for (const stop of stops) expect(yield* Fiber.join(stop)).toMatchObject({ status: "cancelled" })
      expect(yield* Ref.get(ran)).toBe(1)
    })
  )

  it.scopedLive(
    "wakes an interrupted job, which runs once a permit is free; under manual recovery it is cancelled",
    () =>
      Effect.gen(function* () {
        for (const recovery of ["automatic", "manual"] as const) {
          const { managed, recordOf, store: dead, types } = yield* world
          const runs = [newRun(1, { kind: "order", config: {} }), newRun(2, { kind: "order", config: {} })] as const
          for (const run of runs) yield* dead.create(run)
          const [first, second] = runs
          const begun = yield* Deferred.make<void>()
          const work: Work = ({ id, stopping }) =>
            id === first.id
              ? Effect.zipRight(Deferred.succeed(begun, undefined), Effect.never)
              : Effect.flatMap(stopping, (isStopping) => (isStopping ? Effect.void : Effect.die("it is not stopped")))
          const { orders } = yield* managed(work, { maxJobs: 1, recovery })
          if (recovery === "manual") yield* orders.resume(first.id)
          yield* Deferred.await(begun)
          expect(yield* recordOf(second.id)).toMatchObject({ status: "interrupted" })
          const stop = yield* Effect.fork(orders.stop(second.id))
          if (recovery === "manual") yield* Fiber.join(stop)
          yield* orders.stop(first.id)
          expect(yield* Fiber.join(stop)).toMatchObject({ status: "cancelled", mode: "graceful" })
          const stopped = recovery === "manual" ? [] : ["job.resumed", "job.stopping"]
          expect(yield* types(second.id)).toEqual(["job.started", "job.interrupted", ...stopped, "job.cancelled"])
        }
      })
  )

  it.scopedLive("is what stopAll does with all that wait, while no other job begins", () =>
    Effect.gen(function* () {
      const { managed, types, waitsFor } = yield* world
      const { orderOf } = yield* numbering
      const begun = yield* Deferred.make<void>()
      const work: Work = (job) =>
        Effect.flatMap(orderOf(job), (n) =>
          n <= 2 ? parking(() => Effect.void)(job) : Effect.zipRight(Deferred.succeed(begun, undefined), Effect.never)
        )
      const { orders } = yield* managed(work, { maxJobs: 1 })
      const parked = yield* Effect.forEach([1, 2], () => Effect.tap(orders.start({}), (id) => waitsFor(id, "signal")))
      const running = yield* orders.start({})
      yield* Deferred.await(begun)
      const pending = yield* orders.start({}, { whenFull: "queue" })
      const reports = yield* orders.stopAll
      expect(reports.map(({ jobId, status }) => [jobId, status]).sort()).toEqual(
        [...parked, running, pending].map((id) => [id, "cancelled"])
      )
      for (const id of parked) {
        expect((yield* types(id)).slice(-3)).toEqual(["job.resumed", "job.stopping", "job.cancelled"])
      }
      expect(yield* types(running)).toEqual(["job.started", "job.stopping", "job.cancelled"])
      expect(yield* types(pending)).toEqual(["job.queued", "job.cancelled"])
    })
  )
})
