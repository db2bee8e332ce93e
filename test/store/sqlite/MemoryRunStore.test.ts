/** What `RunStore.layerMemory` promises besides what every store does; how many runs it keeps is in test/manager/Retention.test.ts. */
import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, it } from "@effect/vitest"
import { Database, JobKind, Runs, RunStore } from "charlotte"
import { Context, Effect, Layer, Option, Schema, TestClock } from "effect"
import { spawnSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import { id, newRun } from "../runs.js"

class Order extends JobKind.Tag<Order>()("order", { config: Schema.Struct({}) }) {}

class Report extends JobKind.Tag<Report>()("report", { config: Schema.Struct({}) }) {}

const orders = Order.layer({ run: () => Effect.void })

const reports = Report.layer({ run: () => Effect.void })

/** It cannot fail, and needs nothing. */
const layer: Layer.Layer<RunStore.RunStore | Runs.Runs> = RunStore.layerMemory

const kinds = Effect.flatMap(Runs.Runs, ({ list }) => Effect.map(list(), (all) => all.map(({ kind }) => kind).sort()))

/** Prints the native modules that its process has loaded before it opens a store, and after. */
const program = `
  import { Effect, Layer } from "effect"
  import { createRequire } from "node:module"
  import { RunStore } from "charlotte"
  const native = () => Object.keys(createRequire(import.meta.url).cache).filter((file) => file.endsWith(".node"))
  const before = native()
  await Effect.runPromise(Effect.scoped(Layer.build(RunStore.layerMemory)))
  console.log(JSON.stringify([before, native()]))
`

describe("a store in memory", () => {
  it.effect("is one for all kinds to which its layer is given", () =>
    Effect.gen(function* () {
      const [order, report] = [yield* Order, yield* Report]
      yield* order.await(yield* order.start({}))
      yield* report.await(yield* report.start({}))
      expect(yield* kinds).toEqual(["order", "report"])
    }).pipe(Effect.provide(Layer.mergeAll(Layer.provide(orders, layer), Layer.provide(reports, layer), layer)))
  )

  it.scoped("shares nothing with another one, and outlives it", () =>
    Effect.gen(function* () {
      const open = Effect.map(Layer.build(layer), Context.get(RunStore.RunStore))
      const store = yield* open
      yield* store.create(newRun(1))
      yield* Effect.scoped(
        Effect.gen(function* () {
          const other = yield* open
          expect(yield* other.list()).toEqual([])
          yield* other.create(newRun(1, { config: "other" }))
          yield* other.create(newRun(2))
        })
      )
      yield* store.create(newRun(3))
      expect(yield* store.list()).toMatchObject([{ id: id(3) }, { id: id(1), config: { number: 1 } }])
      expect(yield* Effect.flatMap(open, ({ list }) => list())).toEqual([])
    })
  )

  it.scoped("gives its client to nobody", () =>
    Effect.gen(function* () {
      const services = yield* Layer.build(Layer.provideMerge(orders, layer))
      expect(Context.getOption(services, SqlClient.SqlClient)).toEqual(Option.none())
    })
  )

  it.scoped("has no transactions: an effect runs as it is, and what it has started stays though it fails", () =>
    Effect.gen(function* () {
      const { start } = yield* Order
      const sql = yield* SqlClient.SqlClient
      yield* sql`CREATE TABLE placed (n INTEGER)`
      const place = sql`INSERT INTO placed VALUES (1)`.pipe(
        Effect.zipRight(start({}, { delay: "1 day" })),
        Effect.zipRight(Effect.fail("no"))
      )
      expect(yield* Effect.flip(RunStore.transaction(place))).toBe("no")
      expect(yield* sql`SELECT n FROM placed`).toHaveLength(1)
      expect(yield* kinds).toEqual(["order"])
      // Nor is it a part of those on the application's own database.
      expect(yield* Effect.flip(sql.withTransaction(place))).toBe("no")
      expect(yield* sql`SELECT n FROM placed`).toHaveLength(1)
      expect(yield* kinds).toEqual(["order", "order"])
    }).pipe(Effect.provide(Layer.merge(Layer.provideMerge(orders, layer), Database.layer({ filename: ":memory:" }))))
  )

  it.scoped("has the time of the TestClock", () =>
    Effect.gen(function* () {
      const order = yield* Order
      const jobId = yield* order.start({}, { delay: "1 day" })
      yield* TestClock.adjust("1 day")
      const { createdAt, endedAt } = yield* order.await(jobId)
      expect([createdAt, endedAt]).toMatchObject([{ epochMillis: 0 }, { epochMillis: 86_400_000 }])
    }).pipe(Effect.provide(Layer.provide(orders, layer)))
  )

  it("loads SQLite when it is opened, and not by the import of charlotte", () => {
    const { status, stderr, stdout } = spawnSync(
      process.execPath,
      ["--import", "tsx", "--input-type=module", "-e", program],
      {
        cwd: fileURLToPath(new URL("../../..", import.meta.url)),
        encoding: "utf8"
      }
    )
    expect(status, stderr).toBe(0)
    expect(JSON.parse(stdout)).toEqual([[], [expect.stringContaining("better-sqlite3")]])
  }, 120_000)
})
