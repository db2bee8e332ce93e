/**
 * The writer on a failing database.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, it } from "@effect/vitest"
import { RunStore } from "charlotte"
import { Cause, Effect, Exit, Layer } from "effect"
import * as FailingSql from "../support/FailingSql.js"
import { at, created, event, id, kind, log, newRun } from "./runs.js"

const layer = RunStore.layer.pipe(Layer.provideMerge(FailingSql.layer({ filename: ":memory:" })))

const threeAtOnce = Effect.flatMap(RunStore.RunStore, (store) =>
  Effect.forEach([11, 12, 13], (n) => Effect.either(store.create(newRun(n))), { concurrency: "unbounded" })
)

const refused = (reason: string) => ({ _tag: "Left", left: { _tag: "StoreError", operation: "start a job", reason } })

/** The store is unchanged and accepts further writes. */
const unharmed = Effect.gen(function* () {
  const store = yield* RunStore.RunStore
  expect(yield* store.list()).toEqual([])
  yield* created(1)
  yield* store.append({ jobId: id(1), attempt: 1, events: [event("x")] })
  expect(yield* log(id(1))).toEqual(["1 job.started", "2 x"])
})

describe("Writer on a failing database", () => {
  for (const matching of [/^BEGIN/, /^COMMIT/]) {
    for (const rollsBack of [false, true]) {
      it.effect(
        `fails all writes of a transaction${rollsBack ? " rolled back by SQLite" : ""} when ${matching.source} fails`,
        () =>
          Effect.gen(function* () {
            const { failures, set } = yield* FailingSql.FailingSql
            yield* set({ from: 1, matching, rollsBack })
            expect(yield* threeAtOnce).toMatchObject([refused("full"), refused("full"), refused("full")])
            expect(yield* failures).toBe(1)
            yield* unharmed
          }).pipe(Effect.provide(layer))
      )
    }
  }

  it.effect("rolls back before the next transaction after a failed ROLLBACK", () =>
    Effect.gen(function* () {
      const store = yield* RunStore.RunStore
      const { set } = yield* FailingSql.FailingSql
      yield* set({ from: 1, to: 2, matching: /^(COMMIT|ROLLBACK)/ })
      expect(yield* threeAtOnce).toMatchObject([refused("full"), refused("full"), refused("full")])
      yield* created(1)
      expect((yield* store.list()).map(({ id }) => id)).toEqual([id(1)])
    }).pipe(Effect.provide(layer))
  )

  for (const rollsBack of [false, true]) {
    it.effect(
      `retries each write alone after a statement has failed once${rollsBack ? " and SQLite has rolled back" : ""}`,
      () =>
        Effect.gen(function* () {
          const store = yield* RunStore.RunStore
          const { set } = yield* FailingSql.FailingSql
          yield* set({ from: 2, matching: /^INSERT INTO charlotte_runs/, rollsBack })
          const outcomes = yield* threeAtOnce
          expect(outcomes.map(({ _tag }) => _tag)).toEqual(["Right", "Right", "Right"])
          expect(yield* store.list()).toHaveLength(3)
          for (const n of [11, 12, 13]) expect(yield* log(id(n))).toEqual(["1 job.started"])
        }).pipe(Effect.provide(layer))
    )
  }

  it.effect("fails only the write whose statement fails again", () =>
    Effect.gen(function* () {
      const store = yield* RunStore.RunStore
      const { set } = yield* FailingSql.FailingSql
      // The second of three writes rolls back their transaction; retried alone, the third statement is its own again.
      yield* set({ from: 2, to: 4, matching: /^INSERT INTO charlotte_events/ })
      const outcomes = yield* threeAtOnce
      expect(outcomes.map(({ _tag }) => _tag)).toEqual(["Left", "Left", "Right"])
      expect((yield* store.list()).map(({ id }) => id)).toEqual([id(13)])
      expect(yield* log(id(13))).toEqual(["1 job.started"])
    }).pipe(Effect.provide(layer))
  )

  for (const [code, reason] of [
    ["SQLITE_FULL", "full"],
    ["SQLITE_READONLY", "readonly"],
    ["SQLITE_READONLY_DBMOVED", "readonly"],
    ["SQLITE_CORRUPT_INDEX", "corrupt"],
    ["SQLITE_IOERR_WRITE", "other"]
  ] as const) {
    it.effect(`maps ${code} to ${reason}, for writes and reads`, () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        const { set } = yield* FailingSql.FailingSql
        yield* set({ from: 1, to: 9, code })
        const read = yield* Effect.flip(store.get(id(1)))
        const write = yield* Effect.flip(store.create(newRun(1)))
        expect(read).toMatchObject({ _tag: "StoreError", reason, operation: "read a run" })
        expect(write).toMatchObject({ _tag: "StoreError", reason, operation: "start a job" })
        expect(write.message).toBe(`store: start a job failed (${reason}): made to fail with ${code}`)
      }).pipe(Effect.provide(layer))
    )
  }

  it.effect("rolls back an application's transaction whose COMMIT failed", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const { set } = yield* FailingSql.FailingSql
      yield* set({ from: 1, matching: /^COMMIT/ })
      const exit = yield* Effect.exit(sql.withTransaction(sql`CREATE TABLE theirs (x)`))
      expect(Exit.isFailure(exit) && Cause.isDie(exit.cause)).toBe(true)
      yield* unharmed
      expect(yield* sql`SELECT * FROM sqlite_master WHERE name = 'theirs'`).toEqual([])
    }).pipe(Effect.provide(layer))
  )

  it.effect("retries while another connection holds the lock", () =>
    Effect.gen(function* () {
      const { failures, set } = yield* FailingSql.FailingSql
      yield* set({ from: 1, to: 5, matching: /^(BEGIN|COMMIT)/, code: "SQLITE_BUSY" })
      expect((yield* threeAtOnce).map(({ _tag }) => _tag)).toEqual(["Right", "Right", "Right"])
      expect(yield* failures).toBe(5)
    }).pipe(Effect.provide(layer))
  )

  it.effect("fails writes about a damaged run, and no others", () =>
    Effect.gen(function* () {
      const store = yield* RunStore.RunStore
      const sql = yield* SqlClient.SqlClient
      yield* created(1)
      yield* created(2)
      yield* sql`DELETE FROM charlotte_events WHERE job_id = ${id(1)}`
      const outcomes = yield* Effect.all(
        [1, 2].map((n) => Effect.either(store.record({ type: "job.completed", jobId: id(n), attempt: 1, at: at(9) }))),
        { concurrency: "unbounded" }
      )
      expect(outcomes).toMatchObject([{ left: { _tag: "StoreError" } }, { _tag: "Right" }])
    }).pipe(Effect.provide(layer))
  )

  it.effect("reports an undecodable row as a failure, not as a defect", () =>
    Effect.gen(function* () {
      const store = yield* RunStore.RunStore
      const sql = yield* SqlClient.SqlClient
      yield* created(1)
      yield* sql`DROP TRIGGER charlotte_runs_identity`
      yield* sql`UPDATE charlotte_runs SET labels = '{"team":1}'`
      yield* sql`DROP TRIGGER charlotte_events_append_only`
      yield* sql`UPDATE charlotte_events SET payload = '{'`
      const events = store.events({ kind, jobId: id(1), after: 0, limit: 1 })
      expect(yield* Effect.flip(events)).toMatchObject({ _tag: "StoreError", reason: "corrupt" })
      expect(yield* Effect.flip(store.get(id(1)))).toMatchObject({ _tag: "StoreError", reason: "corrupt" })
      expect(yield* Effect.flip(store.list())).toMatchObject({ _tag: "StoreError", reason: "corrupt" })
    }).pipe(Effect.provide(layer))
  )
})
