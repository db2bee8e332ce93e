/** What undoes an execution that fails or is stopped, and what does not. */
import { expect, it } from "@effect/vitest"
import { DurableDeferred } from "@effect/workflow"
import { type JobId, RunStore } from "charlotte"
import { Workflows } from "charlotte/workflow"
import { Cause, Deferred, Effect, Exit, Fiber, type Layer, Option, Queue } from "effect"
import { poll } from "../../../src/internal/RealClock.js"
import {
  compensating as compensates,
  noting,
  Paid,
  pay,
  reaches,
  Refused,
  runOf,
  stepsOf,
  Waiting,
  withEngine
} from "../scene.js"

const patience = { pause: 2, atMost: "2 minutes" } as const

/** Stops a job, and continues once the intent is recorded. */
const stopBegun = (id: JobId.JobId) =>
  Effect.gen(function* () {
    const { lifecycle } = yield* RunStore.RunStore
    const stop = yield* Effect.fork(Workflows.stop(id))
    const isStopping = Effect.map(lifecycle(id), (events) => events.some(({ type }) => type === "job.stopping"))
    yield* poll(isStopping, { until: (is) => is, ...patience })
    return stop
  })

export const compensating = (store: Layer.Layer<RunStore.RunStore>): void => {
  it.effect("compensate in reverse order when a workflow fails", () =>
    Effect.gen(function* () {
      const notes: Array<string> = []
      const undoing = (name: string) =>
        noting(notes, name).pipe(
          Waiting.withCompensation((_, cause) =>
            noting(notes, `undo ${name}: ${Option.isSome(Cause.failureOption(cause))}`)
          )
        )
      const workflows = Waiting.toLayer(() =>
        undoing("reserve").pipe(Effect.zipRight(undoing("charge")), Effect.zipRight(new Refused({ why: "sold out" })))
      )
      yield* Effect.gen(function* () {
        expect(yield* Effect.flip(Waiting.execute({ id: "a" }))).toEqual(new Refused({ why: "sold out" }))
        expect(notes).toEqual(["reserve", "charge", "undo charge: true", "undo reserve: true"])
        const run = Option.getOrThrow(yield* runOf(Waiting, yield* Waiting.executionId({ id: "a" })))
        expect(run).toMatchObject({ status: "failed", error: { kind: "failure", error: { why: "sold out" } } })
      }).pipe(withEngine(workflows))
    }).pipe(Effect.provide(store))
  )

  it.effect("compensate once when an execution is interrupted while it is suspended, and are then cancelled", () =>
    Effect.gen(function* () {
      const notes: Array<string> = []
      yield* Effect.gen(function* () {
        const id = yield* Waiting.execute({ id: "a" }, { discard: true })
        const waiting = yield* Effect.fork(Waiting.execute({ id: "a" }))
        yield* reaches(Waiting, id, "parked")
        yield* Waiting.interrupt(id)
        expect(Exit.isInterrupted(yield* Fiber.await(waiting))).toBe(true)
        const run = yield* reaches(Waiting, id, "cancelled")
        expect(yield* stepsOf(run.id)).toEqual(["activity/reserve/1", "activity/release/1", "exit!"])
        const polled = yield* Waiting.poll(id)
        expect(polled?._tag === "Complete" && Exit.isInterrupted(polled.exit)).toBe(true)
        yield* Waiting.interrupt(id)
        yield* pay(Waiting, id)
        yield* Waiting.resume(id)
        expect(notes).toEqual(["reserve", "release"])
      }).pipe(withEngine(compensates(notes)))
    }).pipe(Effect.provide(store))
  )

  it.effect(
    "compensate once when the job of an execution is stopped while an activity runs, which is not recorded",
    () =>
      Effect.gen(function* () {
        const notes: Array<string> = []
        const began = yield* Deferred.make<void>()
        const slow = Effect.zipRight(Deferred.succeed(began, undefined), Effect.never)
        yield* Effect.gen(function* () {
          const id = yield* Waiting.execute({ id: "a" }, { discard: true })
          yield* Deferred.await(began)
          const run = Option.getOrThrow(yield* runOf(Waiting, id))
          expect(yield* Workflows.stop(run.id)).toMatchObject({ status: "cancelled", mode: "graceful" })
          expect(yield* stepsOf(run.id)).toEqual(["activity/reserve/1", "activity/release/1", "exit!"])
          expect(notes).toEqual(["reserve", "release"])
          expect(yield* Workflows.stop(run.id)).toMatchObject({ status: "cancelled", mode: "alreadyEnded" })
        }).pipe(withEngine(compensates(notes, slow)))
      }).pipe(Effect.provide(store))
  )

  it.effect.each(["its finalizers run", "it parks"])("compensate when they are stopped while %s", (when) =>
    Effect.gen(function* () {
      const notes: Array<string> = []
      const reached = yield* Deferred.make<void>()
      const isStopped = yield* Deferred.make<void>()
      const hold = Effect.zipRight(Deferred.succeed(reached, undefined), Deferred.await(isStopped))
      let isToPark = false
      const finalizer = Effect.suspend(() => {
        isToPark = when === "it parks"
        return isToPark ? Effect.void : hold
      })
      const workflows = Waiting.toLayer(() =>
        Effect.gen(function* () {
          yield* Effect.addFinalizer(() => finalizer)
          yield* noting(notes, "reserve").pipe(Waiting.withCompensation(() => noting(notes, "release")))
          return yield* DurableDeferred.await(Paid)
        })
      )
      const runs = yield* RunStore.RunStore
      const outsideTransaction = Effect.suspend(() => {
        const isParking = isToPark
        isToPark = false
        return isParking ? Effect.zipRight(hold, runs.outsideTransaction) : runs.outsideTransaction
      })
      yield* Effect.gen(function* () {
        const execution = yield* Waiting.execute({ id: "a" }, { discard: true })
        yield* Deferred.await(reached)
        const { id } = Option.getOrThrow(yield* runOf(Waiting, execution))
        const stop = yield* stopBegun(id)
        yield* Deferred.succeed(isStopped, undefined)
        expect(yield* Fiber.join(stop)).toMatchObject({ status: "cancelled" })
        expect(yield* stepsOf(id)).toEqual(["activity/reserve/1", "activity/release/1", "exit!"])
        expect(notes).toEqual(["reserve", "release"])
      }).pipe(withEngine(workflows), Effect.provideService(RunStore.RunStore, { ...runs, outsideTransaction }))
    }).pipe(Effect.provide(store))
  )

  it.effect("do nothing new in the attempt of their stop, though what they wait for is decided by then", () =>
    Effect.gen(function* () {
      const notes: Array<string> = []
      const began = yield* Queue.unbounded<void>()
      const isOpen = yield* Effect.makeLatch(true)
      const slow = Effect.zipRight(Queue.offer(began, undefined), Effect.as(isOpen.await, ""))
      yield* Effect.gen(function* () {
        const id = yield* Waiting.execute({ id: "a" }, { discard: true })
        yield* reaches(Waiting, id, "parked")
        yield* isOpen.close
        yield* Waiting.execute({ id: "holds the permit" }, { discard: true })
        yield* Queue.takeN(began, 2)
        const stopping = yield* Effect.fork(Waiting.interrupt(id))
        yield* poll(runOf(Waiting, id), { until: Option.exists(({ waitsFor }) => waitsFor === "permit"), ...patience })
        yield* pay(Waiting, id)
        yield* isOpen.open
        yield* Fiber.join(stopping)
        yield* reaches(Waiting, id, "cancelled")
        expect(notes).toEqual(["reserve", "reserve", "release"])
      }).pipe(withEngine(compensates(notes, slow), { maxJobs: 1 }))
    }).pipe(Effect.provide(store))
  )

  it.effect("compensate when they are stopped, though their body succeeds before it is interrupted", () =>
    Effect.gen(function* () {
      const notes: Array<string> = []
      const began = yield* Deferred.make<void>()
      const isStopping = yield* Deferred.make<void>()
      const isOver = yield* Deferred.make<void>()
      const workflows = Waiting.toLayer(() =>
        noting(notes, "reserve").pipe(
          Waiting.withCompensation(() => noting(notes, "release")),
          Effect.zipRight(Deferred.succeed(began, undefined)),
          Effect.zipRight(Deferred.await(isStopping)),
          Effect.as("done")
        )
      )
      const runs = yield* RunStore.RunStore
      // An attempt is interrupted once its stop is recorded.
      const record: typeof runs.record = (change) =>
        change.type === "job.stopping"
          ? Deferred.succeed(isStopping, undefined).pipe(
              Effect.zipRight(Deferred.await(isOver)),
              Effect.zipRight(runs.record(change))
            )
          : runs.record(change)
      yield* Effect.gen(function* () {
        const execution = yield* Waiting.execute({ id: "a" }, { discard: true })
        yield* Deferred.await(began)
        const { id } = Option.getOrThrow(yield* runOf(Waiting, execution))
        const stop = yield* Effect.fork(Workflows.stop(id))
        yield* poll(stepsOf(id), { until: (steps) => steps.some((name) => name.startsWith("exit")), ...patience })
        yield* Deferred.succeed(isOver, undefined)
        expect(yield* Fiber.join(stop)).toMatchObject({ status: "cancelled" })
        expect(notes).toEqual(["reserve", "release"])
      }).pipe(withEngine(workflows), Effect.provideService(RunStore.RunStore, { ...runs, record }))
    }).pipe(Effect.provide(store))
  )

  it.effect("never compensate when the engine closes; the next one continues, and may then be stopped", () =>
    Effect.gen(function* () {
      const notes: Array<string> = []
      const began = yield* Deferred.make<void>()
      const slow = Effect.zipRight(Deferred.succeed(began, undefined), Effect.never)
      const start = Effect.forEach(["paid", "stopped"], (id) => Waiting.execute({ id }, { discard: true }))
      const ids = yield* Effect.zipLeft(start, Deferred.await(began)).pipe(withEngine(compensates(notes, slow)))
      const [paid = "", stopped = ""] = ids
      expect(new Set(notes)).toEqual(new Set(["reserve"]))
      notes.length = 0
      yield* Effect.gen(function* () {
        for (const id of ids) yield* reaches(Waiting, id, "parked")
        yield* pay(Waiting, paid)
        expect(yield* Waiting.execute({ id: "paid" })).toBe("cash")
        expect(notes.filter((note) => note !== "reserve")).toEqual(["ship"])
        yield* Waiting.interrupt(stopped)
        yield* reaches(Waiting, stopped, "cancelled")
        expect(notes.filter((note) => note !== "reserve")).toEqual(["ship", "release"])
      }).pipe(withEngine(compensates(notes, Effect.succeed("quick"))))
    }).pipe(Effect.provide(store))
  )
}
