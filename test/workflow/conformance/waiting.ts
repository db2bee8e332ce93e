/** Clocks, deferreds and races: what suspends an execution, and what continues it. */
import { expect, it } from "@effect/vitest"
import { Activity, DurableClock, DurableDeferred, Workflow } from "@effect/workflow"
import type { RunStore } from "charlotte"
import { Deferred, Duration, Effect, Exit, Fiber, Layer, Option, Schema, TestClock } from "effect"
import { poll } from "../../../src/internal/RealClock.js"
import { noting, Paid, pay, reaches, Refused, runOf, Waiting, withEngine } from "../scene.js"

export const waiting = (store: Layer.Layer<RunStore.RunStore>): void => {
  it.effect("suspend at a clock, also within an activity, without a permit, until its time has come", () =>
    Effect.gen(function* () {
      const notes: Array<string> = []
      const workflows = Waiting.toLayer(() =>
        Effect.gen(function* () {
          yield* noting(notes, "before")
          yield* DurableClock.sleep({ name: "month", duration: "30 days" })
          const inside = DurableClock.sleep({ name: "short", duration: 10, inMemoryThreshold: Duration.zero })
          yield* Activity.make({ name: "sleeps", execute: inside })
          yield* noting(notes, "after")
          return "awake"
        })
      )
      yield* Effect.gen(function* () {
        const ids = yield* Effect.forEach(["a", "b", "c"], (id) => Waiting.execute({ id }, { discard: true }))
        for (const id of ids) {
          const run = yield* reaches(Waiting, id, "parked")
          expect(run).toMatchObject({ waitsFor: "time", parked: { reason: "awaits DurableClock/month" } })
          expect(yield* Waiting.poll(id)).toEqual(new Workflow.Suspended({}))
        }
        yield* TestClock.adjust("29 days")
        expect(yield* Waiting.poll(ids[0] ?? "")).toEqual(new Workflow.Suspended({}))
        yield* TestClock.adjust("1 days")
        for (const id of ids) {
          yield* poll(runOf(Waiting, id), {
            until: Option.exists(({ parked }) => parked?.reason === "awaits DurableClock/short"),
            pause: 2,
            atMost: "1 minute"
          })
        }
        yield* TestClock.adjust(10)
        for (const id of ["a", "b", "c"]) expect(yield* Waiting.execute({ id })).toBe("awake")
        const run = Option.getOrThrow(yield* runOf(Waiting, ids[0] ?? ""))
        expect(run.attempt).toBe(3)
        expect(notes).toEqual(["before", "before", "before", "after", "after", "after"])
      }).pipe(withEngine(workflows, { maxJobs: 1 }))
    }).pipe(Effect.provide(store))
  )

  it.effect("sleep for a short time in memory", () =>
    Effect.gen(function* () {
      const workflows = Waiting.toLayer(() =>
        Effect.as(DurableClock.sleep({ name: "nap", duration: "1 seconds" }), "awake")
      )
      yield* Effect.gen(function* () {
        const fiber = yield* Effect.fork(Waiting.execute({ id: "a" }))
        yield* reaches(Waiting, yield* Waiting.executionId({ id: "a" }), "running")
        yield* TestClock.adjust("1 seconds")
        const awake = Effect.zipRight(TestClock.adjust("1 seconds"), Fiber.poll(fiber))
        yield* poll(awake, { until: Option.isSome, pause: 2, atMost: "1 minute" })
        expect(yield* Fiber.join(fiber)).toBe("awake")
      }).pipe(withEngine(workflows))
    }).pipe(Effect.provide(store))
  )

  it.effect("decide a deferred once, also before the start and without a registration", () =>
    Effect.gen(function* () {
      const workflows = Waiting.toLayer(() => DurableDeferred.await(Paid))
      const [early, late, failed] = yield* Effect.forEach(["early", "late", "failed"] as const, (id) =>
        Waiting.executionId({ id })
      )
      yield* withEngine(Layer.empty)(
        Effect.zipRight(
          pay(Waiting, early ?? "", Exit.succeed("first")),
          pay(Waiting, early ?? "", Exit.succeed("second"))
        )
      )
      yield* Effect.gen(function* () {
        expect(yield* Waiting.execute({ id: "early" })).toBe("first")
        expect(Option.getOrThrow(yield* runOf(Waiting, early ?? "")).attempt).toBe(1)
        const waiting = yield* Effect.fork(Waiting.execute({ id: "late" }))
        yield* reaches(Waiting, late ?? "", "parked")
        yield* pay(Waiting, late ?? "", Exit.succeed("first"))
        yield* pay(Waiting, late ?? "", Exit.succeed("second"))
        expect(yield* Fiber.join(waiting)).toBe("first")
        expect(Option.getOrThrow(yield* runOf(Waiting, late ?? "")).attempt).toBe(2)
        yield* pay(Waiting, failed ?? "", Exit.fail(new Refused({ why: "no money" })))
        expect(yield* Effect.flip(Waiting.execute({ id: "failed" }))).toEqual(new Refused({ why: "no money" }))
      }).pipe(withEngine(workflows))
    }).pipe(Effect.provide(store))
  )

  it.effect("keep what was decided from outside, also where they decide something else later", () =>
    Effect.gen(function* () {
      const Ready = DurableDeferred.make("ready")
      const begun = yield* Deferred.make<void>()
      const paid = yield* Deferred.make<void>()
      const workflows = Waiting.toLayer((_, executionId) =>
        Effect.gen(function* () {
          // All decisions so far are read here.
          yield* DurableDeferred.await(Ready)
          yield* Effect.zipRight(Deferred.succeed(begun, undefined), Deferred.await(paid))
          yield* pay(Waiting, executionId, Exit.succeed("from inside"))
          return yield* DurableDeferred.await(Paid)
        })
      )
      yield* Effect.gen(function* () {
        const executionId = yield* Waiting.executionId({ id: "a" })
        const token = DurableDeferred.tokenFromExecutionId(Ready, { workflow: Waiting, executionId })
        yield* DurableDeferred.done(Ready, { token, exit: Exit.void })
        const fiber = yield* Effect.fork(Waiting.execute({ id: "a" }))
        yield* Deferred.await(begun)
        yield* pay(Waiting, executionId, Exit.succeed("from outside"))
        yield* Deferred.succeed(paid, undefined)
        expect(yield* Fiber.join(fiber)).toBe("from outside")
      }).pipe(withEngine(workflows))
    }).pipe(Effect.provide(store))
  )

  it.effect("run effects around a suspension as often as it is replayed, and no compensation", () =>
    Effect.gen(function* () {
      const notes: Array<string> = []
      const workflows = Waiting.toLayer(() =>
        Effect.gen(function* () {
          yield* Effect.addFinalizer(() => Effect.sync(() => void notes.push("finalizer")))
          yield* noting(notes, "reserve").pipe(
            Waiting.withCompensation(() => Effect.sync(() => void notes.push("release")))
          )
          return yield* DurableDeferred.await(Paid).pipe(
            Effect.catchAllCause(() => Effect.succeed("caught")),
            Effect.ensuring(Effect.sync(() => void notes.push("ensuring")))
          )
        })
      )
      yield* Effect.gen(function* () {
        const id = yield* Waiting.execute({ id: "a" }, { discard: true })
        yield* reaches(Waiting, id, "parked")
        expect(notes).toEqual(["reserve", "ensuring", "finalizer"])
        yield* pay(Waiting, id)
        expect(yield* Waiting.execute({ id: "a" })).toBe("cash")
        expect(notes).toEqual(["reserve", "ensuring", "finalizer", "ensuring", "finalizer"])
      }).pipe(withEngine(workflows))
    }).pipe(Effect.provide(store))
  )

  it.effect("race activities and clocks, and keep to the winner", () =>
    Effect.gen(function* () {
      const interrupted: Array<string> = []
      const racer = (name: string, millis: number) =>
        Activity.make({
          name,
          success: Schema.String,
          error: Schema.Never,
          execute: DurableClock.sleep({ name, duration: millis, inMemoryThreshold: Duration.zero }).pipe(
            Effect.as(name),
            Effect.onInterrupt(() => Effect.sync(() => void interrupted.push(name)))
          )
        })
      const workflows = Waiting.toLayer(() =>
        Effect.gen(function* () {
          const winner = yield* Activity.raceAll("clocks", [racer("slow", 5_000), racer("fast", 1_000)])
          return `${winner}, ${yield* DurableDeferred.await(Paid)}`
        })
      )
      yield* Effect.gen(function* () {
        const id = yield* Waiting.execute({ id: "a" }, { discard: true })
        yield* reaches(Waiting, id, "parked")
        yield* TestClock.adjust(1_000)
        yield* poll(runOf(Waiting, id), {
          until: Option.exists(({ parked }) => parked?.reason.includes("paid") === true),
          pause: 2,
          atMost: "1 minute"
        })
        yield* TestClock.adjust(10_000)
        yield* pay(Waiting, id)
        expect(yield* Waiting.execute({ id: "a" })).toBe("fast, cash")
      }).pipe(withEngine(workflows))
    }).pipe(Effect.provide(store))
  )

  it.effect("race a clock against a decision", () =>
    Effect.gen(function* () {
      const workflows = Waiting.toLayer(() =>
        DurableDeferred.raceAll({
          name: "paid or late",
          success: Schema.String,
          error: Refused,
          effects: [
            DurableDeferred.await(Paid),
            Effect.as(DurableClock.sleep({ name: "deadline", duration: "30 days" }), "too late")
          ]
        })
      )
      yield* Effect.gen(function* () {
        const [paid = "", late = ""] = yield* Effect.forEach(["paid", "late"], (id) =>
          Waiting.execute({ id }, { discard: true })
        )
        for (const id of [paid, late]) yield* reaches(Waiting, id, "parked")
        yield* pay(Waiting, paid)
        expect(yield* Waiting.execute({ id: "paid" })).toBe("cash")
        yield* TestClock.adjust("30 days")
        expect(yield* Waiting.execute({ id: "late" })).toBe("too late")
        for (const id of [paid, late]) expect(Option.getOrThrow(yield* runOf(Waiting, id)).attempt).toBe(2)
      }).pipe(withEngine(workflows))
    }).pipe(Effect.provide(store))
  )

  it.effect("close during a race without deciding it", () =>
    Effect.gen(function* () {
      const began = yield* Deferred.make<void>()
      const racing = (effect: Effect.Effect<string>) =>
        Waiting.toLayer(() =>
          Activity.raceAll("race", [
            Activity.make({ name: "one", success: Schema.String, error: Schema.Never, execute: effect }),
            Activity.make({ name: "two", success: Schema.String, error: Schema.Never, execute: Effect.never })
          ])
        )
      const slow = Effect.zipRight(Deferred.succeed(began, undefined), Effect.never)
      yield* Waiting.execute({ id: "a" }, { discard: true }).pipe(
        Effect.zipRight(Deferred.await(began)),
        withEngine(racing(slow))
      )
      expect(yield* withEngine(racing(Effect.succeed("one")))(Waiting.execute({ id: "a" }))).toBe("one")
    }).pipe(Effect.provide(store))
  )
}
