import { describe, expect, it } from "@effect/vitest"
import { Run, RunStore } from "charlotte"
import { Effect, type Layer, Option } from "effect"
import { at, created, error, event, handedOn, id, kind, log, record } from "../runs.js"

const statuses = ["interrupted", "parked", "pending"] as const

const due = Effect.flatMap(RunStore.RunStore, (store) =>
  Effect.map(store.due({ kind, statuses, limit: 9 }), (runs) => runs.map(({ run }) => run.id))
)

const later = Option.some(at(60_000))

const rescheduled = (n: number, to: Partial<RunStore.Rescheduling>) =>
  Effect.flatMap(RunStore.RunStore, (store) => store.reschedule({ kind, jobId: id(n), at: at(9), ...to }))

const payloadOf = (n: number) =>
  Effect.flatMap(RunStore.RunStore, (store) =>
    Effect.map(
      Effect.flatten(store.events({ kind, jobId: id(n), after: 0, limit: 9 })),
      ({ events }) => events.find(({ type }) => type === "job.rescheduled")?.payload
    )
  )

export const rescheduling = (layer: Layer.Layer<RunStore.RunStore>) => {
  describe("rescheduling a run", () => {
    it.effect("changes its place among the runs that are due, and says so in an event", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        yield* created(1, { isQueued: true })
        yield* created(2, { isQueued: true, idempotency: { key: "k", request: "r" } })
        expect(yield* due).toEqual([id(1), id(2)])
        yield* rescheduled(2, { priority: 5, sender: { by: "ann", via: "socket" } })
        expect(yield* due).toEqual([id(2), id(1)])
        expect(yield* record(id(2))).toMatchObject({ priority: 5, waitsFor: "permit" })
        expect(yield* log(id(2))).toEqual(["1 job.queued", "2 job.rescheduled"])
        expect(yield* payloadOf(2)).toEqual({ from: { priority: 0 }, to: { priority: 5 }, by: "ann", via: "socket" })
        expect(yield* store.idempotent({ kind, key: "k" })).toEqual(Option.some({ id: id(2), request: "r" }))
      }).pipe(Effect.provide(layer))
    )

    it.effect("changes nothing, and records nothing, if the schedule is the same", () =>
      Effect.gen(function* () {
        yield* created(1, { isQueued: true, priority: 3 })
        yield* rescheduled(1, { priority: 3, startAt: Option.none() })
        expect(yield* log(id(1))).toEqual(["1 job.queued"])
      }).pipe(Effect.provide(layer))
    )

    it.effect("moves the start of a pending run, later and to now, and notifies its manager", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        const notifiers = yield* store.waiting(kind)
        yield* created(1, { isQueued: true })
        const times = yield* notifiers.times.version
        yield* rescheduled(1, { startAt: later })
        yield* notifiers.times.changed(times)
        expect(yield* record(id(1))).toMatchObject({ waitsFor: "time", startAt: at(60_000) })
        expect(yield* store.nextDueAt(kind)).toEqual(later)
        expect(yield* due).toEqual([])
        const version = yield* notifiers.due.version
        yield* rescheduled(1, { startAt: Option.none() })
        yield* notifiers.due.changed(version)
        const run = yield* record(id(1))
        expect([run.waitsFor, run.startAt]).toEqual(["permit", undefined])
        expect(yield* due).toEqual([id(1)])
        expect(yield* store.begin({ jobId: id(1), attempt: 1, key: undefined, at: at(10) })).toBe("running")
        yield* store.append({ jobId: id(1), attempt: 1, events: [event("x")] })
        expect(yield* log(id(1))).toEqual([
          "1 job.queued",
          "2 job.rescheduled",
          "3 job.rescheduled",
          "4 job.started",
          "5 x"
        ])
      }).pipe(Effect.provide(layer))
    )

    it.effect("keeps a run behind its key, which then waits for its new time", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        yield* created(1, { startKey: "a" })
        yield* created(2, { startKey: "a", whenKeyTaken: "queue" })
        yield* rescheduled(2, { startAt: later })
        expect(yield* record(id(2))).toMatchObject({ waitsFor: "key", startAt: at(60_000) })
        yield* store.record({ type: "job.failed", jobId: id(1), attempt: 1, at: at(10), error })
        expect(yield* handedOn(id(2))).toMatchObject({ waitsFor: "time" })
      }).pipe(Effect.provide(layer))
    )

    it.effect(
      "changes only the priority of a parked or interrupted run, and neither of one that runs or has ended",
      () =>
        Effect.gen(function* () {
          const store = yield* RunStore.RunStore
          const parked = new Run.Parked({ reason: "waits", signal: "go" })
          for (const n of [1, 2, 3, 4]) yield* created(n)
          yield* store.record({ type: "job.parked", jobId: id(1), attempt: 1, at: at(2), parked })
          yield* store.record({ type: "job.interrupted", jobId: id(2), attempt: 1, at: at(2) })
          yield* store.record({ type: "job.failed", jobId: id(3), attempt: 1, at: at(2), error })
          yield* rescheduled(1, { priority: 5 })
          yield* rescheduled(2, { priority: -5 })
          expect([(yield* record(id(1))).priority, (yield* record(id(2))).priority]).toEqual([5, -5])
          for (const n of [1, 2]) {
            const refused = yield* Effect.flip(rescheduled(n, { startAt: later }))
            expect(refused).toMatchObject({ _tag: "NotReschedulable", jobId: id(n) })
            expect(refused.message).toContain("only a pending job has a start time")
          }
          for (const [n, status] of [
            [3, "failed"],
            [4, "running"]
          ] as const) {
            expect(yield* Effect.flip(rescheduled(n, { priority: 1 }))).toMatchObject({
              _tag: "NotReschedulable",
              status
            })
          }
          expect(yield* Effect.flip(rescheduled(5, { priority: 1 }))).toMatchObject({ _tag: "JobNotFound" })
          const ofOthers = yield* Effect.flip(rescheduled(1, { kind: "other", priority: 1 }))
          expect(ofOthers).toMatchObject({ _tag: "JobNotFound" })
        }).pipe(Effect.provide(layer))
    )
  })
}
