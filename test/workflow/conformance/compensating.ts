/** What undoes an execution that fails or is stopped, and what does not. */
import { expect, it } from "@effect/vitest"
import type { RunStore } from "charlotte"
import { Workflows } from "charlotte/workflow"
import { Cause, Deferred, Effect, Exit, Fiber, type Layer, Option } from "effect"
import {
  compensating as compensates,
  noting,
  pay,
  reaches,
  Refused,
  runOf,
  stepsOf,
  Waiting,
  withEngine
} from "../scene.js"

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
