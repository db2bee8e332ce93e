/** Workflows within workflows. */
import { expect, it } from "@effect/vitest"
import { DurableDeferred, Workflow } from "@effect/workflow"
import type { RunStore } from "charlotte"
import { Effect, Exit, Layer, Option, Schema } from "effect"
import {
  compensating,
  idempotencyKey,
  noting,
  Paid,
  pay,
  payload,
  reaches,
  Refused,
  runOf,
  Waiting,
  withEngine
} from "../scene.js"

export const children = (store: Layer.Layer<RunStore.RunStore>): void => {
  const Parent = Workflow.make({ name: "Parent", payload, success: Schema.String, error: Refused, idempotencyKey })
  const parents = (notes: Array<string>, discard = false) =>
    Parent.toLayer(({ id }) =>
      Effect.gen(function* () {
        yield* noting(notes, "parent")
        if (discard) return yield* Waiting.execute({ id }, { discard: true })
        return `child: ${yield* Waiting.execute({ id })}`
      })
    )

  it.effect("park while a child runs, without a permit, and continue when it ends, whatever it came to", () =>
    Effect.gen(function* () {
      const notes: Array<string> = []
      const children = Waiting.toLayer(() => DurableDeferred.await(Paid))
      yield* Effect.gen(function* () {
        const ids = yield* Effect.forEach(["a", "b"], (id) => Parent.execute({ id }, { discard: true }))
        const [a = "", b = ""] = yield* Effect.forEach(["a", "b"], (id) => Waiting.executionId({ id }))
        for (const id of ids) expect((yield* reaches(Parent, id, "parked")).parked?.reason).toContain("Waiting")
        for (const id of [a, b]) yield* reaches(Waiting, id, "parked")
        yield* pay(Waiting, a)
        yield* pay(Waiting, b, Exit.fail(new Refused({ why: "no money" })))
        expect(yield* Parent.execute({ id: "a" })).toBe("child: cash")
        expect(yield* Effect.flip(Parent.execute({ id: "b" }))).toEqual(new Refused({ why: "no money" }))
        for (const id of ids) expect(Option.getOrThrow(yield* runOf(Parent, id)).attempt).toBe(2)
        expect(notes).toEqual(["parent", "parent"])
        const parent = Option.getOrThrow(yield* runOf(Parent, ids[0] ?? ""))
        expect(Option.getOrThrow(yield* runOf(Waiting, a)).labels).toMatchObject({ parent: parent.id })
      }).pipe(withEngine(Layer.merge(parents(notes), children), { maxJobs: 1 }))
    }).pipe(Effect.provide(store))
  )

  it.effect("start a child and do not wait for it, if its result is discarded", () =>
    Effect.gen(function* () {
      const children = Waiting.toLayer(() => DurableDeferred.await(Paid))
      yield* Effect.gen(function* () {
        const child = yield* Waiting.executionId({ id: "a" })
        expect(yield* Parent.execute({ id: "a" })).toBe(child)
        yield* reaches(Waiting, child, "parked")
      }).pipe(withEngine(Layer.merge(parents([], true), children)))
    }).pipe(Effect.provide(store))
  )

  it.effect("interrupt their children when they are interrupted", () =>
    Effect.gen(function* () {
      const notes: Array<string> = []
      yield* Effect.gen(function* () {
        const id = yield* Parent.execute({ id: "a" }, { discard: true })
        const child = yield* Waiting.executionId({ id: "a" })
        yield* reaches(Parent, id, "parked")
        yield* reaches(Waiting, child, "parked")
        yield* Parent.interrupt(id)
        yield* reaches(Parent, id, "cancelled")
        yield* reaches(Waiting, child, "cancelled")
        expect(notes).toEqual(["reserve", "release"])
      }).pipe(withEngine(Layer.merge(parents([]), compensating(notes))))
    }).pipe(Effect.provide(store))
  )
}
