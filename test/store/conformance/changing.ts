import { describe, expect, it } from "@effect/vitest"
import { Run, RunStatus, RunStore } from "charlotte"
import { Effect, type Layer, Option } from "effect"
import { interleaved } from "../../support/interleaving.js"
import { handedOn, at, created, error, event, id, kind, log, newRun, record, unfinished } from "../runs.js"

type Type = RunStore.Change["type"]

const change = (type: Type, attempt = 1): RunStore.Change => ({
  type,
  jobId: id(1),
  attempt,
  at: at(50),
  ...(type === "job.failed" ? { error } : {}),
  ...(type === "job.completed" ? { result: "done" } : {}),
  ...(type === "job.parked" ? { parked: new Run.Parked({ reason: "waits", signal: "go" }) } : {})
})

/** A state of a run, the changes that lead to it, and the changes allowed next. */
const states: ReadonlyArray<readonly [place: string, way: ReadonlyArray<Type>, next: ReadonlyArray<Type>]> = [
  [
    "running",
    [],
    ["job.stopping", "job.timeout", "job.completed", "job.failed", "job.cancelled", "job.interrupted", "job.parked"]
  ],
  [
    "over its time limit",
    ["job.timeout"],
    ["job.stopping", "job.timeout", "job.completed", "job.failed", "job.cancelled", "job.interrupted", "job.parked"]
  ],
  ["stopping", ["job.stopping"], ["job.completed", "job.failed", "job.cancelled"]],
  ["interrupted", ["job.interrupted"], ["job.failed", "job.cancelled"]],
  ["parked", ["job.parked"], ["job.failed", "job.cancelled"]],
  ["completed", ["job.completed"], []],
  ["failed", ["job.failed"], []],
  ["cancelled", ["job.cancelled"], []]
]

/** A run that parks or is interrupted while it is being stopped is cancelled. */
const isStopped = (state: string, type: Type): boolean =>
  state === "stopping" && (type === "job.parked" || type === "job.interrupted")

const statuses: Record<Type, RunStatus.RunStatus> = {
  "job.stopping": "running",
  "job.timeout": "running",
  "job.completed": "completed",
  "job.failed": "failed",
  "job.cancelled": "cancelled",
  "job.interrupted": "interrupted",
  "job.parked": "parked"
}

const types = Object.keys(statuses).filter((type): type is Type => type in statuses)

export const changing = (layer: Layer.Layer<RunStore.RunStore>) => {
  describe("record", () => {
    for (const [state, path, next] of states) {
      const start = Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        yield* created(1)
        for (const type of path) yield* store.record(change(type))
        return store
      })

      for (const type of types.filter((type) => next.includes(type))) {
        it.effect(`accepts ${type} when the run is ${state}, and appends its event`, () =>
          Effect.gen(function* () {
            const store = yield* start
            const before = yield* log(id(1))
            yield* store.record(change(type))
            const run = yield* record(id(1))
            const ended = RunStatus.isTerminal(statuses[type])
            expect(run.status).toBe(statuses[type])
            expect(run.endedAt).toEqual(ended ? at(50) : undefined)
            expect(yield* log(id(1))).toEqual([...before, `${before.length + 1} ${type}`])
          }).pipe(Effect.provide(layer))
        )
      }

      it.effect(`refuses every other change when the run is ${state}, and writes nothing`, () =>
        Effect.gen(function* () {
          const store = yield* start
          const before = [yield* record(id(1)), yield* log(id(1))]
          for (const type of types.filter((type) => !next.includes(type) && !isStopped(state, type))) {
            expect(yield* Effect.flip(store.record(change(type)))).toMatchObject({ _tag: "Superseded", attempt: 1 })
          }
          expect([yield* record(id(1)), yield* log(id(1))]).toEqual(before)
        }).pipe(Effect.provide(layer))
      )
    }

    for (const type of ["job.parked", "job.interrupted"] as const) {
      it.effect(`cancels a run instead of ${type} while the intent to stop it is recorded`, () =>
        Effect.gen(function* () {
          const store = yield* RunStore.RunStore
          yield* created(1, { key: "a" })
          yield* store.create(newRun(2, { key: "a", whenKeyTaken: "replace" }))
          expect(yield* store.record(change(type))).toBe("job.cancelled")
          expect(yield* record(id(1))).toMatchObject({ status: "cancelled" })
          expect(yield* log(id(1))).toEqual(["1 job.started", "2 job.stopping", "3 job.cancelled"])
          expect(yield* handedOn(id(2))).toMatchObject({ status: "pending", waitsFor: "permit" })
        }).pipe(Effect.provide(layer))
      )
    }

    it.effect("refuses changes by any other attempt, and of an unknown run", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        for (const type of types) {
          expect((yield* Effect.flip(store.record(change(type))))._tag).toBe("Superseded")
        }
        yield* created(1)
        yield* store.record(change("job.interrupted"))
        yield* store.begin({ jobId: id(1), attempt: 2, key: undefined, at: at(60) })
        for (const type of types) {
          expect((yield* Effect.flip(store.record(change(type, 1))))._tag).toBe("Superseded")
          expect((yield* Effect.flip(store.record(change(type, 3))))._tag).toBe("Superseded")
        }
        expect(yield* log(id(1))).toEqual(["1 job.started", "2 job.interrupted", "3 job.resumed"])
      }).pipe(Effect.provide(layer))
    )

    it.effect("cancels a run of a dead manager whose stop was asked for after its row was read", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        yield* created(1)
        yield* store.record(change("job.stopping"))
        yield* store.record({ type: "job.interrupted", jobId: id(1), attempt: 1, at: at(50), crashed: true })
        expect(yield* log(id(1))).toEqual(["1 job.started", "2 job.stopping", "3 job.cancelled"])
      }).pipe(Effect.provide(layer))
    )

    it.effect("records in the event why a run ended or was interrupted", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        yield* Effect.forEach([1, 2, 3], (n) => created(n))
        yield* store.record(change("job.failed"))
        yield* store.record({ type: "job.interrupted", jobId: id(2), attempt: 1, at: at(50), crashed: true })
        yield* store.record({ type: "job.interrupted", jobId: id(3), attempt: 1, at: at(50) })
        const payloads = yield* Effect.forEach([1, 2, 3], (n) =>
          Effect.map(Effect.flatten(store.events({ kind, jobId: id(n), after: 1, limit: 1 })), ({ events }) =>
            events.map(({ payload }) => payload)
          )
        )
        expect(payloads.flat()).toEqual([
          { error: { kind: "failure", error: "it went wrong" } },
          { reason: "crash" },
          { reason: "shutdown" }
        ])
      }).pipe(Effect.provide(layer))
    )
  })

  describe("resume", () => {
    const next = (attempt: number, key?: string) => ({ jobId: id(1), attempt, key, at: at(60) })

    it.effect("starts the next attempt of an interrupted run, and appends its event", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        yield* created(1)
        yield* store.record(change("job.interrupted"))
        yield* store.begin(next(2))
        expect(yield* record(id(1))).toMatchObject({
          status: "running",
          attempt: 2,
          createdAt: at(1),
          startedAt: at(60)
        })
        expect((yield* log(id(1))).at(-1)).toBe("3 job.resumed")
        expect(yield* unfinished(id(1))).toMatchObject({ stopping: false })
        yield* store.record(change("job.stopping", 2))
      }).pipe(Effect.provide(layer))
    )

    it.effect("refuses any attempt but the next, and any run that is not interrupted", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        const refused = (attempt: number) => Effect.map(Effect.flip(store.begin(next(attempt))), ({ _tag }) => _tag)
        expect(yield* refused(1)).toBe("Superseded")
        yield* created(1)
        expect(yield* refused(2)).toBe("Superseded")
        yield* store.record(change("job.interrupted"))
        expect(yield* refused(1)).toBe("Superseded")
        expect(yield* refused(3)).toBe("Superseded")
        yield* store.record(change("job.cancelled"))
        expect(yield* refused(2)).toBe("Superseded")
        expect(yield* log(id(1))).toEqual(["1 job.started", "2 job.interrupted", "3 job.cancelled"])
      }).pipe(Effect.provide(layer))
    )

    it.effect("lets one of two concurrent resumptions succeed", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        yield* created(1)
        yield* store.record(change("job.interrupted"))
        const tries = yield* Effect.all([Effect.either(store.begin(next(2))), Effect.either(store.begin(next(2)))], {
          concurrency: "unbounded"
        })
        expect(tries.map(({ _tag }) => _tag).sort()).toEqual(["Left", "Right"])
        expect(yield* log(id(1))).toEqual(["1 job.started", "2 job.interrupted", "3 job.resumed"])
      }).pipe(Effect.provide(layer))
    )

    it.effect("waits behind a key that the check shows only now and another job holds", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        yield* created(1)
        yield* store.record(change("job.interrupted"))
        yield* created(2, { key: "a" })
        expect(yield* store.begin(next(2, "a"))).toBe("waits")
        expect(yield* record(id(1))).toMatchObject({ status: "interrupted", attempt: 1, waitsFor: "key" })
        expect(yield* Effect.flip(store.begin({ ...next(2, "a"), attempt: 3 }))).toMatchObject({ _tag: "Superseded" })
        yield* store.record({ ...change("job.completed"), jobId: id(2) })
        expect(yield* handedOn(id(1))).toMatchObject({ status: "interrupted", waitsFor: "permit" })
        expect(yield* store.begin(next(2, "a"))).toBe("running")
      }).pipe(Effect.provide(layer))
    )

    it.effect("gives up its other key where it waits behind one that its check shows only now", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        yield* created(1, { key: "c" })
        yield* store.create(newRun(4, { startKey: "k", isQueued: true }))
        // An older one, whose check took longer.
        yield* store.create(newRun(3, { startKey: "k", isQueued: true, whenKeyTaken: "queue" }))
        expect(yield* record(id(3))).toMatchObject({ waitsFor: "key" })
        expect(yield* store.begin({ jobId: id(4), attempt: 1, key: "c", at: at(60) })).toBe("waits")
        expect(yield* handedOn(id(3))).toMatchObject({ status: "pending", waitsFor: "permit" })
        yield* store.record({ ...change("job.completed"), jobId: id(1) })
        expect(yield* record(id(4))).toMatchObject({ waitsFor: "key" })
        yield* store.begin({ jobId: id(3), attempt: 1, key: undefined, at: at(61) })
        yield* store.record({ ...change("job.completed"), jobId: id(3) })
        expect(yield* handedOn(id(4))).toMatchObject({ waitsFor: "permit" })
      }).pipe(Effect.provide(layer))
    )

    it.effect("records the submission of a check that had not been made before", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        yield* store.create(newRun(1, { isQueued: true }))
        yield* store.begin({ ...next(1), submission: '{"found":1}' })
        expect(yield* store.submission(id(1))).toEqual(Option.some({ found: 1 }))
      }).pipe(Effect.provide(layer))
    )

    it.effect("replaces the trace by that of the first attempt, and keeps it afterwards", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        const trace = new Run.RunTrace({ root: "its own span", startedBy: "the span of the call" })
        yield* store.create(
          newRun(1, { isQueued: true, trace: new Run.RunTrace({ startedBy: "the span of the call" }) })
        )
        expect((yield* record(id(1))).trace).toEqual(new Run.RunTrace({ startedBy: "the span of the call" }))
        yield* store.begin({ ...next(1), trace })
        expect((yield* record(id(1))).trace).toEqual(trace)
        yield* store.record(change("job.interrupted"))
        yield* store.begin(next(2))
        expect((yield* record(id(1))).trace).toEqual(trace)
        expect((yield* unfinished(id(1)))?.run.trace).toEqual(trace)
        yield* created(2)
        expect(yield* record(id(2))).not.toHaveProperty("trace")
      }).pipe(Effect.provide(layer))
    )

    it.effect("keeps the key of the first check", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        yield* created(1, { key: "a" })
        yield* store.record(change("job.interrupted"))
        yield* store.begin(next(2, "b"))
        expect(yield* Effect.flip(store.create(newRun(3, { key: "a" })))).toMatchObject({ _tag: "JobConflict" })
        yield* created(4, { key: "b" })
      }).pipe(Effect.provide(layer))
    )
  })

  describe("keys", () => {
    it.effect("are held by one job, until it has ended", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        for (const [n, type] of (["job.completed", "job.failed", "job.cancelled"] as const).entries()) {
          yield* created(n, { key: "a" })
          const conflict = yield* Effect.flip(store.create(newRun(31, { key: "a" })))
          expect(conflict).toMatchObject({ _tag: "JobConflict", jobId: id(n), key: "a", status: "running" })
          yield* store.record({ ...change(type), jobId: id(n) })
        }
        for (const [n, type] of (["job.interrupted", "job.parked"] as const).entries()) {
          yield* created(4 + n, { key: `b${n}` })
          yield* store.record({ ...change(type), jobId: id(4 + n) })
          const conflict = yield* Effect.flip(store.create(newRun(31, { key: `b${n}` })))
          expect(conflict).toMatchObject({ jobId: id(4 + n), status: type.slice(4) })
        }
        expect(yield* store.get(id(31))).toMatchObject({ _tag: "None" })
        yield* created(31, { key: "a" })
      }).pipe(Effect.provide(layer))
    )

    it.effect("are scoped to a kind, and jobs without a key never conflict", () =>
      Effect.gen(function* () {
        yield* created(1, { key: "a" })
        yield* created(2, { key: "a", kind: "other" })
        yield* created(3, { key: "b" })
        yield* created(4)
        yield* created(5)
      }).pipe(Effect.provide(layer))
    )

    it.effect("are acquired by one of many concurrent creations, in any interleaving", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        for (let n = 0; n < 12; n++) {
          const key = `key ${n}`
          const tries = yield* Effect.all(
            [newRun(2 * n, { key }), newRun(2 * n + 1, { key })].map((run) => Effect.either(store.create(run))),
            { concurrency: "unbounded" }
          ).pipe(interleaved(n))
          expect(tries.map(({ _tag }) => _tag).sort()).toEqual(["Left", "Right"])
          const holder = (yield* store.list({ limit: 1 }))[0]?.id
          for (const outcome of tries) {
            if (outcome._tag === "Left") expect(outcome.left).toMatchObject({ _tag: "JobConflict", jobId: holder, key })
          }
        }
        expect(yield* store.latestCursor).toBe(12)
      }).pipe(Effect.provide(layer))
    )

    it.effect("are not acquired by a run whose append is refused", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        yield* created(1, { key: "a" })
        yield* store.record(change("job.completed"))
        yield* Effect.flip(store.append({ jobId: id(1), attempt: 1, events: [event("x")] }))
        yield* created(2, { key: "a" })
      }).pipe(Effect.provide(layer))
    )
  })
}
