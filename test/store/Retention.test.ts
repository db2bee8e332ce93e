/**
 * Pruning of a database: by indexes, in slices, and whatever interrupts it.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, it } from "@effect/vitest"
import { RunStore } from "charlotte"
import { Array, Duration, Effect, Exit, Fiber, Layer, Option } from "effect"
import { RealClock } from "../../src/internal/RealClock.js"
import * as Audit from "../../src/store/Audit.js"
import * as FailingSql from "../support/FailingSql.js"
import { at, created, event, id, kind, newRun } from "./runs.js"

const { RunStore: Store } = RunStore

const layer = RunStore.layer.pipe(Layer.provideMerge(FailingSql.layer({ filename: ":memory:" })))

/** Every look at the clock shows that a slice is over. */
const hurried = Layer.effect(
  RealClock,
  Effect.map(RealClock, (clock) => {
    let millis = 0
    return { ...clock, now: Effect.sync(() => (millis += 100)) }
  })
)

const retained = (forget: RunStore.Rule["forget"] = () => Effect.void) =>
  Effect.flatMap(Store, ({ retain }) => retain({ kind, retention: { completed: 0, failed: 0, maxRuns: 3 }, forget }))

/** A run with so many events that has ended. */
const ended = (n: number, events: number, with_: Partial<RunStore.NewRun> = {}) =>
  Effect.gen(function* () {
    yield* created(n, { at: at(0), ...with_ })
    yield* end(n, events)
  })

/** Ends a run that has its first event after so many. */
const end = (n: number, events: number) =>
  Effect.gen(function* () {
    const store = yield* Store
    const jobId = id(n)
    const emitted = Array.makeBy(events - 2, () => event("x", { text: "y".repeat(100) }))
    yield* store.append({ jobId, attempt: 1, events: emitted })
    yield* store.record({ type: "job.completed", jobId, attempt: 1, at: at(0), result: 1 })
  })

const eventsIn = (n: number) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    Effect.map(
      sql<{ n: number }>`SELECT count(*) AS n FROM charlotte_events WHERE job_id = ${id(n)}`,
      ([row]) => row?.n
    )
  )

describe("prune", () => {
  it.scoped("reads and deletes by an index, with a history and without", () =>
    Effect.gen(function* () {
      const { prune, subscribers } = yield* Store
      const sql = yield* SqlClient.SqlClient
      const { clear, statements } = yield* FailingSql.FailingSql
      yield* retained()
      // It misses the runs.
      yield* subscribers.register({
        name: "s",
        kinds: ["tasks"],
        types: ["x"],
        from: "start",
        hold: Duration.zero,
        at: at(1)
      })
      for (const n of [1, 2, 3]) yield* ended(n, 600, { labels: { a: "x" } })
      yield* created(9)
      yield* clear
      yield* prune({ dryRun: true })
      yield* prune()
      const executed = Array.dedupe((yield* statements).filter((statement) => statement.includes("charlotte_")))
      expect(executed.some((statement) => statement.startsWith("DELETE FROM charlotte_runs"))).toBe(true)
      expect(executed.some((statement) => statement.includes("UPDATE charlotte_runs"))).toBe(true)
      for (const statement of executed) {
        const params = statement.match(/\?/g)?.map(() => null) ?? []
        const rows = yield* sql.unsafe<{ detail: string }>(`EXPLAIN QUERY PLAN ${statement}`, params)
        const details = rows.map(({ detail }) => detail)
        // The lists of statuses and of ids, and of subscribers and their kinds, are short; the searches in them are limited.
        const bad = details.filter((detail) =>
          /^SCAN (?!\(subquery|limited|ids VIRTUAL|json_each|value|charlotte_subscribers|s$|[kt] VIRTUAL)/.test(detail)
        )
        expect({ statement, bad: bad.filter((detail) => !/^SCAN (CONSTANT|\d)/.test(detail)), details }).toEqual({
          statement,
          bad: [],
          details
        })
      }
    }).pipe(Effect.provide(layer))
  )

  it.scoped("finds the rows of a run in each table by an index", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const tables = yield* sql<{ name: string; column: string }>`
        SELECT m.name, f."from" AS column FROM sqlite_master m JOIN pragma_foreign_key_list(m.name) f
        WHERE m.name GLOB 'charlotte_*' AND m.type = 'table' AND f.seq = 0`
      expect(tables.map(({ name }) => name)).toContain("charlotte_attempts")
      for (const { column, name } of tables) {
        const [plan] = yield* sql.unsafe<{ detail: string }>(
          `EXPLAIN QUERY PLAN SELECT 1 FROM ${name} WHERE ${column} = ?`,
          [null]
        )
        expect(plan?.detail).toMatch(/^SEARCH /)
      }
    }).pipe(Effect.provide(layer))
  )

  it.scoped("deletes a long run in slices, between which other writes are committed", () =>
    Effect.gen(function* () {
      const { get, prune } = yield* Store
      const { clear, hold, statements } = yield* FailingSql.FailingSql
      yield* retained()
      yield* ended(1, 2_000)
      yield* clear
      const slice = yield* hold(/DELETE FROM charlotte_events/)
      const pruning = yield* Effect.fork(prune())
      yield* slice.reached
      const writing = yield* Effect.fork(Effect.forEach([2, 3], (n) => created(n)))
      yield* slice.release
      yield* Fiber.join(writing)
      expect(yield* get(id(1))).toEqual(Option.none())
      expect(yield* eventsIn(1)).toBeGreaterThan(0)
      expect(yield* Fiber.join(pruning)).toEqual([{ kind, runs: 1, jobs: [id(1)] }])
      expect(yield* eventsIn(1)).toBe(0)

      const executed = yield* statements
      const slices = executed
        .filter((statement) => /^(BEGIN|DELETE FROM charlotte_events)/.test(statement))
        .join("\n")
        .split(/^BEGIN.*$/m)
        .map((slice) => slice.trim().split("\n").length)
      expect(Math.max(...slices)).toBe(1)
      expect(executed.filter((statement) => statement.startsWith("DELETE FROM charlotte_events"))).toHaveLength(7)
    }).pipe(Effect.provide(Layer.provideMerge(layer, hurried)))
  )

  it.scoped("deletes few large payloads at once", () =>
    Effect.gen(function* () {
      const { append, prune, record } = yield* Store
      const { clear, statements } = yield* FailingSql.FailingSql
      yield* retained()
      yield* created(1, { at: at(0) })
      const large = event("x", "y".repeat(600_000))
      for (const _ of Array.range(1, 6)) yield* append({ jobId: id(1), attempt: 1, events: [large] })
      yield* record({ type: "job.completed", jobId: id(1), attempt: 1, at: at(0), result: 1 })
      yield* clear
      yield* prune()
      const deletions = (yield* statements).filter((statement) => statement.startsWith("DELETE FROM charlotte_events"))
      expect(deletions.length).toBeGreaterThanOrEqual(5)
      expect(yield* eventsIn(1)).toBe(0)
    }).pipe(Effect.provide(layer))
  )

  it.scoped("deletes the idempotency keys of requests that have attached to a run in slices, too", () =>
    Effect.gen(function* () {
      const store = yield* Store
      const sql = yield* SqlClient.SqlClient
      const { clear, statements } = yield* FailingSql.FailingSql
      yield* retained()
      yield* created(1, { startKey: "a" })
      yield* created(2, { startKey: "b" })
      const attach = (key: string, n: number) =>
        store.attach({ to: { kind, of: "startKey", key }, idempotency: { key: `${key} ${n}`, request: "r" } })
      yield* Effect.forEach(Array.range(1, 600), (n) => attach("a", n), { concurrency: "unbounded" })
      yield* attach("b", 1)
      yield* end(1, 3)
      yield* clear
      yield* store.prune()
      const deletions = (yield* statements).filter((statement) =>
        /^DELETE FROM charlotte_(attached|runs)/.test(statement)
      )
      expect(deletions.map((statement) => statement.split(" ")[2])).toEqual([
        ...Array.replicate("charlotte_attached_keys", 3),
        "charlotte_runs"
      ])
      expect(yield* sql`SELECT job_id FROM charlotte_attached_keys`).toEqual([{ job_id: id(2) }])
    }).pipe(Effect.provide(layer))
  )

  it.scoped("shows nothing of a run that is deleted in part, to no reader, and the next pruning completes it", () =>
    Effect.gen(function* () {
      const store = yield* Store
      const sql = yield* SqlClient.SqlClient
      const idempotency = { key: "k", request: "r" }
      const attached = { to: { kind, of: "startKey", key: "a" }, idempotency: { ...idempotency, key: "l" } } as const
      yield* retained(() => Effect.fail("not yet"))
      yield* created(1, { startKey: "a", idempotency })
      expect(yield* store.attach(attached)).toEqual(Option.some(id(1)))
      yield* end(1, 600)
      yield* ended(2, 3)
      yield* store.pin(id(2))
      yield* store.prune()
      yield* sql`DELETE FROM charlotte_events WHERE job_id = ${id(1)} AND seq <= 300`

      expect(yield* store.get(id(1))).toEqual(Option.none())
      expect((yield* store.list()).map(({ id }) => id)).toEqual([id(2)])
      const events = yield* store.allEvents({ kind, after: 0, limit: 1_000 })
      expect(events.events.map(({ jobId }) => jobId)).toEqual([id(2), id(2), id(2)])
      expect(yield* Effect.exit(store.pin(id(1)))).toSatisfy(Exit.isFailure)
      expect(yield* Audit.run()).toMatchObject({ jobs: 1, violations: [] })

      // Its idempotency keys are free.
      expect(yield* store.create(newRun(3, { startKey: "a", idempotency }))).toMatchObject({ _tag: "Running" })
      expect(yield* store.attach(attached)).toEqual(Option.some(id(3)))
      yield* retained()
      yield* store.prune()
      expect(yield* eventsIn(1)).toBe(0)
      expect(yield* sql`SELECT id FROM charlotte_runs ORDER BY id`).toEqual([{ id: id(2) }, { id: id(3) }])
      expect(yield* store.idempotent({ kind, key: "l" })).toEqual(Option.some({ id: id(3), request: "r" }))
      expect(yield* Audit.run()).toMatchObject({ violations: [] })
    }).pipe(Effect.provide(layer))
  )

  it.scoped("never leaves a run that is hidden in part, whichever statement fails, and completes it afterwards", () =>
    Effect.gen(function* () {
      const store = yield* Store
      const sql = yield* SqlClient.SqlClient
      const { clear, failures, set } = yield* FailingSql.FailingSql
      yield* retained()
      for (let k = 1, hit = true; hit; k++) {
        yield* ended(k, 300)
        yield* set({ from: k })
        const outcome = yield* Effect.exit(store.prune())
        hit = (yield* failures) > 0
        yield* clear
        expect(Exit.isFailure(outcome)).toBe(hit)
        const run = yield* store.get(id(k))
        if (Option.isSome(run)) expect(yield* eventsIn(k)).toBe(300)
        expect(yield* Audit.run()).toMatchObject({ violations: [] })
        yield* store.prune()
        expect(yield* sql`SELECT id FROM charlotte_runs`).toEqual([])
      }
    }).pipe(Effect.provide(layer))
  )
})
