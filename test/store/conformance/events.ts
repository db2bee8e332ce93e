import { describe, expect, it } from "@effect/vitest"
import { type errors, type JobEvent, RunStore } from "charlotte"
import { Effect, type Layer, Option } from "effect"
import { at, created, event, id, kind, log } from "../runs.js"

const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i)

export const events = (layer: Layer.Layer<RunStore.RunStore>) => {
  describe("append", () => {
    it.effect("numbers the events of a job 1 to n, with any batch size", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        const jobId = yield* created(1)
        for (const size of [0, 1, 3, 4, 5, 16, 20, 64, 65, 149]) {
          const events = numbers(1, size).map((n) => event("x", n))
          yield* store.append({ jobId, attempt: 1, events })
        }
        const page = yield* Effect.flatten(store.events({ kind, jobId, after: 0, limit: 1_000 }))
        expect(page.events.map(({ seq }) => seq)).toEqual(numbers(1, 328))
        expect(page.events.slice(-149).map(({ payload }) => payload)).toEqual(numbers(1, 149))
      }).pipe(Effect.provide(layer))
    )

    it.effect("keeps every field of an event", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        const jobId = yield* created(1)
        const all = { at: at(7), type: "task.passed", unit: "core", task: 3, payload: '{"a":[null,"b"]}' }
        const none = { at: at(8), type: "x" }
        yield* store.append({ jobId, attempt: 1, events: [all, none, { ...none, payload: "null" }] })
        const page = yield* Effect.flatten(store.events({ kind, jobId, after: 1, limit: 10 }))
        expect(page.events.map((event) => ({ ...event }))).toEqual([
          { jobId, seq: 2, cursor: 2, ...all, payload: { a: [null, "b"] } },
          { jobId, seq: 3, cursor: 3, ...none },
          { jobId, seq: 4, cursor: 4, ...none, payload: null }
        ])
      }).pipe(Effect.provide(layer))
    )

    it.effect("keeps the order of concurrent writes, without gaps in the sequence numbers", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        const jobs = yield* Effect.forEach([1, 2, 3], (n) => created(n))
        yield* Effect.forEach(
          numbers(1, 60),
          (n) => store.append({ jobId: jobs[n % 3] ?? id(1), attempt: 1, events: [event("a", n), event("b", n)] }),
          { concurrency: "unbounded" }
        )
        for (const jobId of jobs) {
          const page = yield* Effect.flatten(store.events({ kind, jobId, after: 1, limit: 100 }))
          expect(page.events.map(({ seq }) => seq)).toEqual(numbers(2, 41))
          const payloads = page.events.map(({ payload }) => Number(payload))
          expect(payloads).toEqual([...payloads].sort((a, b) => a - b))
        }
      }).pipe(Effect.provide(layer))
    )

    it.effect("refuses any other attempt, and one that is no longer running", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        const append = (attempt: number, jobId = id(1)) => store.append({ jobId, attempt, events: [event("x")] })
        const refused = (attempt: number, jobId = id(1)) =>
          Effect.map(Effect.flip(append(attempt, jobId)), ({ _tag }) => _tag)
        expect(yield* refused(1)).toBe("Superseded")
        yield* created(1)
        expect(yield* refused(2)).toBe("Superseded")
        yield* append(1)
        yield* store.record({ type: "job.interrupted", jobId: id(1), attempt: 1, at: at(5) })
        expect(yield* refused(1)).toBe("Superseded")
        yield* store.begin({ jobId: id(1), attempt: 2, key: undefined, at: at(6) })
        expect(yield* refused(1)).toBe("Superseded")
        yield* append(2)
        yield* store.record({ type: "job.completed", jobId: id(1), attempt: 2, at: at(7) })
        expect(yield* refused(2)).toBe("Superseded")
        expect(yield* log(id(1))).toEqual([
          "1 job.started",
          "2 x",
          "3 job.interrupted",
          "4 job.resumed",
          "5 x",
          "6 job.completed"
        ])
      }).pipe(Effect.provide(layer))
    )
  })

  describe("events", () => {
    it.effect("returns pages, and whether the run had ended when they were read", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        const jobId = yield* created(1)
        const page = (after: number, limit: number) =>
          Effect.map(Effect.flatten(store.events({ kind, jobId, after, limit })), ({ ended, events }) => ({
            ended,
            seqs: events.map(({ seq }) => seq)
          }))
        yield* store.append({ jobId, attempt: 1, events: [event("a"), event("b"), event("c")] })
        expect(yield* page(0, 2)).toEqual({ ended: false, seqs: [1, 2] })
        expect(yield* page(2, 2)).toEqual({ ended: false, seqs: [3, 4] })
        expect(yield* page(4, 2)).toEqual({ ended: false, seqs: [] })
        yield* store.record({ type: "job.interrupted", jobId, attempt: 1, at: at(5) })
        expect(yield* page(4, 2)).toEqual({ ended: false, seqs: [5] })
        yield* store.record({ type: "job.cancelled", jobId, attempt: 1, at: at(5) })
        expect(yield* page(0, 2)).toEqual({ ended: true, seqs: [1, 2] })
        expect(yield* page(4, 9)).toEqual({ ended: true, seqs: [5, 6] })
        expect(yield* page(1_000, 9)).toEqual({ ended: true, seqs: [] })
      }).pipe(Effect.provide(layer))
    )

    it.effect("returns pages of at most about 1 MiB of payloads, and at least one event", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        const jobId = yield* created(1)
        const other = yield* created(2, { kind: "other" })
        const sizes = [10, 600_000, 400_000, 100_000, 3_000_000, 5, 1_048_574, 1, 20_000, 30_000]
        for (const [n, size] of sizes.entries()) {
          const text = "x".repeat(size)
          yield* store.append({ jobId: other, attempt: 1, events: [event("y", text)] })
          yield* store.append({ jobId, attempt: 1, events: [event("x", `${n}${text}`)] })
        }
        yield* store.record({ type: "job.completed", jobId, attempt: 1, at: at(9) })
        const expected = sizes.map((size, n) => `${n} ${size}`)
        const summary = (page: ReadonlyArray<JobEvent.JobEvent>) =>
          page.flatMap(({ payload, type }) =>
            type === "x" && typeof payload === "string" ? [`${payload[0]} ${payload.length - 1}`] : []
          )
        for (const limit of [1_000, 12, 3, 1]) {
          const pages: Array<ReadonlyArray<string>> = []
          for (let after = 0, more = true; more;) {
            const page = yield* Effect.flatten(store.events({ kind, jobId, after, limit }))
            more = page.more
            after = page.events.at(-1)?.seq ?? after
            pages.push(summary(page.events))
            expect(page.ended).toBe(true)
          }
          expect(pages.flat()).toEqual(expected)
          if (limit === 1_000) {
            expect(pages.map(({ length }) => length)).toEqual([3, 1, 1, 1, 1, 3])
          }
          const all: Array<string> = []
          let calls = 0
          for (let after = 0, more = true; more; calls++) {
            const page = yield* store.allEvents({ kind, after, limit })
            more = page.more
            after = page.cursor
            all.push(...summary(page.events))
          }
          expect(all).toEqual(expected)
          if (limit === 1_000) expect(calls).toBe(6)
        }
      }).pipe(Effect.provide(layer))
    )

    it.effect("refuses an invalid limit or position, with an error that names it", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        const jobId = yield* created(1)
        for (const bad of [-1, 0.5, NaN, Infinity, 2 ** 53]) {
          for (const [name, query] of [
            ["limit", { after: 0, limit: bad }],
            ["after", { after: bad, limit: 1 }]
          ] as const) {
            const pages = [store.events({ kind, jobId, ...query }), store.allEvents({ kind, ...query })]
            for (const query of pages.map((page): Effect.Effect<unknown, errors.StoreError> => page)) {
              const error = yield* Effect.flip(query)
              expect(error).toMatchObject({ _tag: "StoreError", operation: "read events", reason: "invalid" })
              expect(error.message).toContain(`${name} must be a whole number, 0 or more, not ${bad}`)
            }
          }
        }
      }).pipe(Effect.provide(layer))
    )

    it.effect("returns at most 1,000 events, and that there are more", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        const jobId = yield* created(1)
        yield* store.append({ jobId, attempt: 1, events: numbers(2, 1_002).map((n) => event("x", n)) })
        const page = yield* Effect.flatten(store.events({ kind, jobId, after: 0, limit: 5_000 }))
        expect([page.events.length, page.more]).toEqual([1_000, true])
        const all = yield* store.allEvents({ kind, after: 0, limit: 5_000 })
        expect([all.events.length, all.more, all.cursor]).toEqual([1_000, true, 1_000])
        const rest = yield* Effect.flatten(store.events({ kind, jobId, after: 1_000, limit: 5_000 }))
        expect([rest.events.length, rest.more]).toEqual([2, false])
      }).pipe(Effect.provide(layer))
    )

    it.effect("returns none for an unknown run, and for one of another kind", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        expect(yield* store.events({ kind, jobId: id(1), after: 0, limit: 1 })).toEqual(Option.none())
        yield* created(1, { kind: "other" })
        expect(yield* store.events({ kind, jobId: id(1), after: 0, limit: 1 })).toEqual(Option.none())
      }).pipe(Effect.provide(layer))
    )
  })

  describe("allEvents", () => {
    const mixed = Effect.gen(function* () {
      const store = yield* RunStore.RunStore
      const a = yield* created(1)
      const b = yield* created(2, { kind: "other" })
      const c = yield* created(3)
      for (const jobId of [b, b, a, c]) yield* store.append({ jobId, attempt: 1, events: [event("x")] })
      return store
    })

    it.effect("returns the events of a kind in commit order", () =>
      Effect.gen(function* () {
        const store = yield* mixed
        const page = yield* store.allEvents({ kind, after: 0, limit: 100 })
        expect(page.events.map(({ cursor, jobId, seq }) => [cursor, jobId, seq])).toEqual([
          [1, id(1), 1],
          [3, id(3), 1],
          [6, id(1), 2],
          [7, id(3), 2]
        ])
        expect(page).toMatchObject({ cursor: 7, more: false })
      }).pipe(Effect.provide(layer))
    )

    it.effect("skips other kinds, and returns how far it read", () =>
      Effect.gen(function* () {
        const store = yield* mixed
        const seen: Array<number> = []
        let pages = 0
        for (let after = 0, more = true; more; pages++) {
          const page = yield* store.allEvents({ kind, after, limit: 2 })
          expect(page.cursor).toBeGreaterThanOrEqual(after)
          seen.push(...page.events.map(({ cursor }) => cursor))
          after = page.cursor
          more = page.more
        }
        expect(seen).toEqual([1, 3, 6, 7])
        expect(pages).toBe(4)
        const nothing = { events: [], cursor: 7, more: false, size: 0 }
        expect(yield* store.allEvents({ kind, after: 7, limit: 2 })).toEqual(nothing)
        expect(yield* store.allEvents({ kind: "none", after: 0, limit: 99 })).toEqual(nothing)
      }).pipe(Effect.provide(layer))
    )
  })

  it.effect("latestCursor is the cursor of the latest event of any kind, or 0", () =>
    Effect.gen(function* () {
      const store = yield* RunStore.RunStore
      expect(yield* store.latestCursor).toBe(0)
      yield* created(1)
      yield* created(2, { kind: "other" })
      expect(yield* store.latestCursor).toBe(2)
    }).pipe(Effect.provide(layer))
  )
}
