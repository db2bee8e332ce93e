import { describe, expect, it } from "@effect/vitest"
import { RunStore } from "charlotte"
import { DateTime, Effect, type Layer, Option, TestClock } from "effect"
import { Parked, resumeSignal } from "../../../src/domain/Run.js"
import { at, created, id } from "../runs.js"

const kind = "workflow.Order"

const about = (n: number, ofKind = kind) => ({ kind: ofKind, key: `order-${n}` })

/** A decision about the n-th order. */
const decide = (n: number, name: string, { time = at(5), value = `"${name}"` } = {}) =>
  Effect.flatMap(RunStore.RunStore, ({ decisions }) => decisions.decide({ ...about(n), name, value, at: time }))

const decided = (n: number) =>
  Effect.flatMap(RunStore.RunStore, ({ decisions }) =>
    Effect.map(decisions.about(about(n)), (all) => all.map(({ name, value }) => `${name} ${value}`))
  )

const started = (n: number, ofKind = kind) =>
  created(n, { kind: ofKind, idempotency: { key: about(n).key, request: "r" } })

const park = (n: number, decisions: number | undefined, until?: DateTime.Utc) =>
  Effect.flatMap(RunStore.RunStore, (store) =>
    store.record({
      type: "job.parked",
      jobId: id(n),
      attempt: 1,
      at: at(6),
      parked: new Parked({
        reason: "awaits payment",
        signal: resumeSignal,
        ...(decisions !== undefined && { decisions }),
        ...(until && { until })
      })
    })
  )

const waitsFor = (n: number) =>
  Effect.flatMap(RunStore.RunStore, (store) => Effect.map(store.get(id(n)), (run) => Option.getOrThrow(run).waitsFor))

export const decisions = (layer: Layer.Layer<RunStore.RunStore>) => {
  describe("decisions", () => {
    it.effect("are made once about an execution, also before it starts: the first of a name counts", () =>
      Effect.gen(function* () {
        expect(yield* decide(1, "payment", { value: "1" })).toBe(true)
        expect(yield* decide(1, "payment", { value: "2" })).toBe(false)
        expect(yield* decide(2, "payment", { value: "3" })).toBe(true)
        yield* started(1)
        expect(yield* decide(1, "payment", { value: "4" })).toBe(false)
        expect(yield* decide(1, "approval", { value: "null" })).toBe(true)
        expect(yield* decided(1)).toEqual(["approval null", "payment 1"])
        expect(yield* decided(2)).toEqual(["payment 3"])
        expect(yield* decided(3)).toEqual([])
      }).pipe(Effect.provide(layer))
    )

    it.effect("wake a run that has parked for decisions, whatever time it waits for, and only if they are new", () =>
      Effect.gen(function* () {
        for (const n of [1, 2, 3]) yield* started(n)
        yield* decide(1, "before")
        yield* park(1, 1)
        yield* park(2, 0, at(100))
        yield* park(3, undefined)
        expect([yield* waitsFor(1), yield* waitsFor(2), yield* waitsFor(3)]).toEqual(["signal", "time", "signal"])
        expect(yield* decide(1, "before")).toBe(false)
        expect(yield* waitsFor(1)).toBe("signal")
        for (const n of [1, 2, 3]) yield* decide(n, "payment")
        expect([yield* waitsFor(1), yield* waitsFor(2), yield* waitsFor(3)]).toEqual(["permit", "permit", "signal"])
        const store = yield* RunStore.RunStore
        yield* store.begin({ jobId: id(1), attempt: 2, key: undefined, at: at(9) })
        const page = Option.getOrThrow(yield* store.events({ kind, jobId: id(1), after: 0, limit: 10 }))
        expect(page.events.at(-1)).toMatchObject({ type: "job.resumed", payload: { attempt: 2, by: "decision" } })
      }).pipe(Effect.provide(layer))
    )

    it.effect("that an attempt has not read make its park due at once", () =>
      Effect.gen(function* () {
        yield* started(1)
        yield* decide(1, "payment")
        yield* park(1, 0)
        expect(yield* waitsFor(1)).toBe("permit")
      }).pipe(Effect.provide(layer))
    )

    it.effect("are made by the end of an execution about those that wait for it, in the commit of that end", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        const { decisions } = store
        for (const n of [1, 2, 3]) yield* started(n)
        const awaitEnd = (n: number, of: number) => decisions.awaitEnd({ ...about(n), of: about(of), at: at(5) })
        expect(yield* awaitEnd(1, 3)).toBe(true)
        expect(yield* awaitEnd(2, 3)).toBe(true)
        expect(yield* awaitEnd(2, 3)).toBe(true)
        expect(yield* awaitEnd(1, 4)).toBe(false)
        expect(yield* decided(3)).toEqual([])
        yield* park(1, 0)
        // A waiter is no decision about that for which it waits.
        yield* park(3, 0)
        expect(yield* waitsFor(3)).toBe("signal")
        expect(yield* waitsFor(1)).toBe("signal")
        yield* store.record({ type: "job.cancelled", jobId: id(3), attempt: 1, at: at(7) })
        expect(yield* waitsFor(1)).toBe("permit")
        for (const n of [1, 2]) expect(yield* decided(n)).toEqual([`ended/${kind}/order-3 null`])
        yield* park(2, 0)
        expect(yield* waitsFor(2)).toBe("permit")
        expect(yield* awaitEnd(1, 3)).toBe(false)
      }).pipe(Effect.provide(layer))
    )

    it.effect("are removed when their run is pruned, and without a run after 30 days", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        yield* TestClock.setTime(10)
        const later = DateTime.add(at(0), { days: 31 })
        yield* decide(1, "payment")
        yield* decide(2, "payment")
        yield* started(1)
        yield* decide(3, "payment", { time: later })
        expect([yield* decided(1), yield* decided(2)]).toEqual([['payment "payment"'], []])
        yield* store.record({ type: "job.completed", jobId: id(1), attempt: 1, at: at(7), result: null })
        yield* store.retain({ kind, retention: { completed: "1 millis" }, forget: () => Effect.void })
        yield* store.prune({ kind })
        expect(yield* store.get(id(1))).toEqual(Option.none())
        expect(yield* decided(1)).toEqual([])
        expect(yield* decided(3)).toEqual(['payment "payment"'])
      }).pipe(Effect.scoped, Effect.provide(layer))
    )
  })
}
