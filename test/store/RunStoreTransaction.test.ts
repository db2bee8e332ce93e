/** Transactions of an application on a database that other processes write to. */
import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, it } from "@effect/vitest"
import { Database, RunStore } from "charlotte"
import { Context, Effect, Fiber, Layer } from "effect"
import { poll } from "../../src/internal/RealClock.js"
import * as FailingSql from "../support/FailingSql.js"
import * as HurriedClock from "../support/hurriedClock.js"
import * as TemporaryDirectory from "../support/TemporaryDirectory.js"

const withOrders = Effect.flatMap(SqlClient.SqlClient, (sql) => sql`CREATE TABLE orders (n INTEGER)`)

const order = (n: number) => Effect.flatMap(SqlClient.SqlClient, (sql) => sql`INSERT INTO orders VALUES (${n})`)

const orders = Effect.flatMap(SqlClient.SqlClient, (sql) =>
  Effect.map(sql<{ n: number }>`SELECT n FROM orders ORDER BY n`, (rows) => rows.map(({ n }) => n))
)

const stored = (filename: string) =>
  RunStore.layer.pipe(Layer.provideMerge(FailingSql.layer({ filename })), Layer.provideMerge(HurriedClock.layer))

/** The connection of another process. */
const other = (filename: string) =>
  Effect.map(Layer.build(Layer.fresh(Database.layer({ filename }))), (context) =>
    Context.get(context, SqlClient.SqlClient)
  )

describe("RunStore.transaction", () => {
  it.scopedLive("commits all of an effect, or nothing, and is a savepoint inside another transaction", () =>
    Effect.gen(function* () {
      const filename = yield* TemporaryDirectory.file("jobs.db")
      yield* Effect.gen(function* () {
        yield* withOrders
        yield* RunStore.transaction(order(1))
        const failing = RunStore.transaction(Effect.zipRight(order(2), Effect.fail("no")))
        expect(yield* Effect.flip(failing)).toBe("no")
        yield* RunStore.transaction(Effect.zipRight(order(3), Effect.flip(failing)))
        expect(yield* orders).toEqual([1, 3])
      }).pipe(Effect.provide(stored(filename)))
    })
  )

  it.scopedLive("waits for the lock of another process, and repeats an effect that finds the database busy", () =>
    Effect.gen(function* () {
      const filename = yield* TemporaryDirectory.file("jobs.db")
      yield* Effect.gen(function* () {
        const { set, statements } = yield* FailingSql.FailingSql
        yield* withOrders
        const theirs = yield* other(filename)
        yield* theirs`BEGIN IMMEDIATE`
        yield* set({ from: 1, to: 1, matching: /^INSERT INTO orders/, code: "SQLITE_BUSY_SNAPSHOT" })
        let runs = 0
        const placing = yield* Effect.fork(
          RunStore.transaction(
            Effect.zipRight(
              Effect.sync(() => (runs += 1)),
              order(1)
            )
          )
        )
        const begins = Effect.map(statements, (all) => all.filter((text) => text === "BEGIN IMMEDIATE").length)
        yield* poll(begins, { until: (times) => times > 1, pause: 5, atMost: "20 seconds" })
        expect(runs).toBe(0)
        yield* theirs`COMMIT`
        yield* Fiber.join(placing)
        expect(runs).toBe(2)
        expect(yield* orders).toEqual([1])
      }).pipe(Effect.provide(stored(filename)))
    })
  )

  it.scopedLive(
    "gives transactions their turns in the order in which they came, while another process has the lock",
    () =>
      Effect.gen(function* () {
        const filename = yield* TemporaryDirectory.file("jobs.db")
        yield* Effect.gen(function* () {
          const { set } = yield* FailingSql.FailingSql
          yield* withOrders
          yield* set({ from: 1, to: 1, matching: /^BEGIN IMMEDIATE$/, code: "SQLITE_BUSY" })
          const began: Array<number> = []
          yield* Effect.forEach(
            [1, 2, 3],
            (n) =>
              RunStore.transaction(
                Effect.zipRight(
                  Effect.sync(() => began.push(n)),
                  order(n)
                )
              ),
            { concurrency: "unbounded" }
          )
          expect(began).toEqual([1, 2, 3])
        }).pipe(Effect.provide(stored(filename)))
      })
  )

  it.scopedLive("fails as busy, with nothing recorded, while another process does not release the lock", () =>
    Effect.gen(function* () {
      const filename = yield* TemporaryDirectory.file("jobs.db")
      yield* Effect.gen(function* () {
        yield* withOrders
        const theirs = yield* other(filename)
        yield* theirs`BEGIN IMMEDIATE`
        const error = yield* Effect.flip(RunStore.transaction(order(1)))
        expect(error).toMatchObject({ _tag: "StoreError", reason: "busy", operation: "run a transaction" })
        yield* theirs`ROLLBACK`
        expect(yield* orders).toEqual([])
      }).pipe(Effect.provide(stored(filename)))
    })
  )
})
