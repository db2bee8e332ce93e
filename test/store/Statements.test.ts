/**
 * The statements that the store executes.
 */
import { describe, expect, it } from "@effect/vitest"
import { RunStore, Work } from "charlotte"
import { Effect, Layer, Option } from "effect"
import * as FailingSql from "../support/FailingSql.js"
import { at, created, event, id, kind } from "./runs.js"
import { planOf, task, unit } from "./work.js"

const layer = RunStore.layer.pipe(Layer.provideMerge(FailingSql.layer({ filename: ":memory:" })))

describe("store.submission", () => {
  it.effect("is written once, and read by no other query", () =>
    Effect.gen(function* () {
      const store = yield* RunStore.RunStore
      const { clear, statements } = yield* FailingSql.FailingSql
      const naming = Effect.map(statements, (all) => all.filter((statement) => /submission|\*/.test(statement)))
      yield* clear
      yield* created(1, { submission: "1" })
      expect(yield* naming).toEqual([expect.stringMatching(/^INSERT INTO charlotte_runs/)])
      yield* clear
      yield* store.get(id(1))
      yield* store.list({ status: "running" })
      yield* store.unfinished({ kind, limit: 9 })
      yield* store.events({ kind, jobId: id(1), after: 0, limit: 9 })
      yield* store.append({ jobId: id(1), attempt: 1, events: [event("x")] })
      yield* store.record({ type: "job.interrupted", jobId: id(1), attempt: 1, at: at(2), crashed: true })
      yield* store.begin({ jobId: id(1), attempt: 2, key: undefined, at: at(3) })
      yield* store.append({ jobId: id(1), attempt: 2, events: [event("x")] })
      yield* store.work.plan({ jobId: id(1), attempt: 2, work: planOf(1, 1) })
      yield* store.record({ type: "job.completed", jobId: id(1), attempt: 2, at: at(4) })
      expect((yield* statements).length).toBeGreaterThan(20)
      expect(yield* naming).toEqual([])
      yield* store.submission(id(1))
      expect(yield* naming).toHaveLength(1)
    }).pipe(Effect.provide(layer))
  )
})

describe("store.cluster.next", () => {
  it.effect("asks only whether a run of the kind is due, if none is: an idle node asks it twice a second", () =>
    Effect.gen(function* () {
      const { cluster } = yield* RunStore.RunStore
      const { clear, statements } = yield* FailingSql.FailingSql
      yield* created(1)
      yield* clear
      expect(yield* cluster.next({ kind, statuses: ["pending"], version: "1", shards: [1, 2, 3] })).toEqual(
        Option.none()
      )
      expect(yield* statements).toEqual([expect.stringMatching(/waits_for = 'permit'[^]*charlotte_groups WHERE/)])
    }).pipe(Effect.provide(layer))
  )
})

describe("store.work", () => {
  it.effect("plans thousands of tasks in one transaction, with a few distinct statements", () =>
    Effect.gen(function* () {
      const store = yield* RunStore.RunStore
      const { clear, statements } = yield* FailingSql.FailingSql
      yield* created(1)
      yield* clear
      const work = planOf(85, 85)
      yield* store.work.plan({ jobId: id(1), attempt: 1, work })
      const executed = yield* statements
      expect(executed.filter((statement) => statement.startsWith("BEGIN"))).toHaveLength(1)
      expect(executed.length).toBeLessThan(150)
      expect(new Set(executed).size).toBeLessThan(15)
      expect(yield* store.work.of(id(1))).toEqual(work)
    }).pipe(Effect.provide(layer))
  )

  it.effect("plans all units and tasks or none, whichever statement fails", () =>
    Effect.gen(function* () {
      const store = yield* RunStore.RunStore
      const { clear, failures, set } = yield* FailingSql.FailingSql
      const work = planOf(3, 9)
      const seen = new Set<string>()
      for (let k = 1, failed = true; failed; k++) {
        yield* created(k, { submission: "1" })
        // It is tried twice: in the shared transaction, and then alone.
        yield* set({ from: k, to: k + 20 })
        const outcome = yield* Effect.either(store.work.plan({ jobId: id(k), attempt: 1, work }))
        failed = (yield* failures) > 0
        yield* clear
        if (outcome._tag === "Left") expect(outcome.left).toMatchObject({ _tag: "StoreError", reason: "full" })
        expect((yield* store.work.of(id(k))).units).toHaveLength(outcome._tag === "Left" ? 0 : 3)
        seen.add(outcome._tag)
        yield* store.work.plan({ jobId: id(k), attempt: 1, work })
        expect(yield* store.work.of(id(k))).toEqual(work)
      }
      expect(seen).toEqual(new Set(["Left", "Right"]))
    }).pipe(Effect.provide(layer))
  )

  it.effect("plans nothing when a unit or task is duplicated", () =>
    Effect.gen(function* () {
      const { work } = yield* RunStore.RunStore
      yield* created(1)
      const twice = new Work.Work({ units: [unit("a", 0)], tasks: [task("a", 1, 0), task("a", 1, 1)] })
      const error = yield* Effect.flip(work.plan({ jobId: id(1), attempt: 1, work: twice }))
      expect(error).toMatchObject({ _tag: "StoreError", operation: "record units and tasks" })
      expect((yield* work.of(id(1))).units).toEqual([])
    }).pipe(Effect.provide(layer))
  )

  it.effect("dies on units and tasks that cannot be encoded, and keeps working", () =>
    Effect.gen(function* () {
      const { work } = yield* RunStore.RunStore
      yield* created(1)
      yield* work.plan({ jobId: id(1), attempt: 1, work: planOf(1, 1) })
      const [first] = (yield* work.of(id(1))).units
      const broken = new Work.UnitRecord({ ...unit("a", 0), ...first }, true)
      Object.assign(broken, { state: "sleeping" })
      const exit = yield* Effect.exit(work.unit({ jobId: id(1), attempt: 1, unit: broken }))
      expect(exit).toMatchObject({ cause: { _tag: "Die" } })
      expect((yield* work.of(id(1))).units).toEqual([first])
      yield* created(2)
    }).pipe(Effect.provide(layer))
  )

  it.effect("updates a record completely or not at all, whichever statement fails", () =>
    Effect.gen(function* () {
      const store = yield* RunStore.RunStore
      const { clear, failures, set } = yield* FailingSql.FailingSql
      yield* created(1)
      yield* store.work.plan({ jobId: id(1), attempt: 1, work: new Work.Work({ units: [unit("a", 0)], tasks: [] }) })
      const states = Effect.map(store.work.of(id(1)), ({ units }) => units.map(({ base }) => base))
      for (let k = 1, failed = true; failed; k++) {
        const before = yield* states
        yield* set({ from: k, to: k + 20 })
        const change = store.work.unit({ jobId: id(1), attempt: 1, unit: unit("a", 0, { base: `${k}` }) })
        const outcome = yield* Effect.either(change)
        failed = (yield* failures) > 0
        yield* clear
        expect(yield* states).toEqual(outcome._tag === "Left" ? before : [`${k}`])
      }
    }).pipe(Effect.provide(layer))
  )
})
