/**
 * A store on an application's own client, or on a second connection.
 */
import * as Reactivity from "@effect/experimental/Reactivity"
import * as SqlClient from "@effect/sql/SqlClient"
import type { Connection } from "@effect/sql/SqlConnection"
import * as Statement from "@effect/sql/Statement"
import * as SqliteClient from "@effect/sql-sqlite-node/SqliteClient"
import { describe, expect, it } from "@effect/vitest"
import { Database, RunStore } from "charlotte"
import { Cause, Effect, Exit, Fiber, Layer, Logger, Option } from "effect"
import { RealClock } from "../../src/internal/RealClock.js"
import { isFree, lock } from "../support/foreign.js"
import * as TemporaryDirectory from "../support/TemporaryDirectory.js"
import { created, event, id, newRun } from "./runs.js"

const databaseFile = TemporaryDirectory.file("application.db")

/** A client as an application creates it. */
const application = (filename: string) => SqliteClient.layer({ filename })

const settings = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const [synchronous] = yield* sql.unsafe<{ synchronous: number }>("PRAGMA synchronous")
  const [timeout] = yield* sql.unsafe<{ timeout: number }>("PRAGMA busy_timeout")
  return [synchronous?.synchronous, timeout?.timeout]
})

/** Captures the log of the store. */
const logged = <A, E, R>(use: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const lines: Array<string> = []
    const logger = Logger.make(({ logLevel, message }) => {
      if (String(message).includes("connection")) lines.push(`${logLevel.label} ${String(message)}`)
    })
    yield* Effect.provide(use, Logger.replace(Logger.defaultLogger, logger))
    return lines
  })

/** A client that ignores matching statements. */
const ignoring = (filename: string, matching: RegExp) =>
  Layer.scoped(
    SqlClient.SqlClient,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const connection = yield* Effect.scoped(sql.reserve)
      const deaf: Connection = {
        ...connection,
        executeUnprepared: (statement, ...rest) =>
          matching.test(statement) ? Effect.succeed([]) : connection.executeUnprepared(statement, ...rest)
      }
      return yield* SqlClient.make({
        acquirer: Effect.as(sql.reserve, deaf),
        compiler: Statement.makeCompilerSqlite(),
        spanAttributes: []
      })
    })
  ).pipe(Layer.provide([application(filename), Reactivity.layer]))

describe("RunStore.layer on a client of the application's own", () => {
  it.scoped("sets synchronous=FULL and a short busy_timeout, keeps them after writes, and logs it once", () =>
    Effect.gen(function* () {
      const filename = yield* databaseFile
      const lines = yield* logged(
        Effect.gen(function* () {
          const sql = yield* SqlClient.SqlClient
          yield* sql`CREATE TABLE theirs (x)`
          expect(yield* settings).toEqual([1, 5_000])
          yield* Effect.gen(function* () {
            yield* created(1)
            yield* sql`INSERT INTO theirs VALUES (1)`
            expect(yield* settings).toEqual([2, 10])
          }).pipe(Effect.provide(RunStore.layer))
        }).pipe(Effect.provide(application(filename)))
      )
      expect(lines).toEqual([
        "INFO changed settings of the application's database connection: busy_timeout=10 ms (was 5000), synchronous=FULL (was NORMAL)"
      ])
    })
  )

  it.scopedLive("does not block the event loop while another connection holds a lock", () =>
    Effect.gen(function* () {
      const filename = yield* databaseFile
      yield* Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        const { now, sleep } = yield* RealClock
        const unlock = yield* lock(filename, "BEGIN IMMEDIATE")
        const writing = yield* Effect.fork(store.create(newRun(1)))
        const stalls: Array<number> = []
        for (let n = 0; n < 20; n++) {
          const begun = yield* now
          yield* sleep(10)
          stalls.push((yield* now) - begun)
        }
        yield* unlock
        yield* Fiber.join(writing)
        // A loaded machine may stall the event loop too, but not in most of the samples.
        expect(stalls.sort((a, b) => a - b)[10]).toBeLessThan(60)
      }).pipe(Effect.provide(RunStore.layer.pipe(Layer.provide(application(filename)))))
    })
  )

  for (const [pragma, matching] of [
    ["synchronous", /synchronous =/],
    ["busy_timeout", /busy_timeout =/]
  ] as const) {
    it.scoped(`fails with the name of the pragma when ${pragma} cannot be set`, () =>
      Effect.gen(function* () {
        const filename = yield* databaseFile
        const store = (layer: typeof RunStore.layer) => Layer.provide(layer, ignoring(filename, matching))
        const error = yield* Effect.flip(Layer.build(store(RunStore.layer)))
        expect(error).toMatchObject({ _tag: "StoreError", operation: "open the store" })
        expect(error.message).toContain(`PRAGMA ${pragma} of the application's connection is`)
        expect(error.message).toContain('RunStore.layerWith({ durability: "as-is" })')
        yield* created(1).pipe(Effect.provide(store(RunStore.layerWith({ durability: "as-is" }))))
      })
    )
  }

  it.scoped("changes nothing with durability as-is, or on a client configured by Database.layer", () =>
    Effect.gen(function* () {
      const filename = yield* databaseFile
      const opened = Effect.zipRight(created(1), settings)
      const lines = yield* logged(
        Effect.gen(function* () {
          const asIs = RunStore.layerWith({ durability: "as-is" }).pipe(Layer.provideMerge(application(filename)))
          expect(yield* Effect.provide(opened, asIs)).toEqual([1, 5_000])
          const normal = RunStore.layer.pipe(
            Layer.provideMerge(Database.layer({ filename: `${filename}.normal`, synchronous: "NORMAL" }))
          )
          expect(yield* Effect.provide(opened, normal)).toEqual([1, 10])
        })
      )
      expect(lines).toEqual([])
    })
  )
})

describe("RunStore.layerWith({ connection: own })", () => {
  const layer = (filename: string) =>
    RunStore.layerWith({ connection: "own" }).pipe(Layer.provideMerge(application(filename)))

  it.scoped("leaves the application's connection unchanged, and stores runs in the same file", () =>
    Effect.gen(function* () {
      const filename = yield* databaseFile
      yield* Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        yield* created(1)
        expect(yield* sql`SELECT id FROM charlotte_runs`).toEqual([{ id: id(1) }])
        yield* sql`CREATE TABLE theirs (x)`
        expect(yield* settings).toEqual([1, 5_000])
      }).pipe(Effect.provide(layer(filename)))
    })
  )

  it.scopedLive("never suspends between BEGIN and COMMIT", () =>
    Effect.gen(function* () {
      const filename = yield* databaseFile
      const answers: Array<boolean> = []
      yield* Effect.scoped(Layer.build(application(filename)))
      const { turn } = yield* RealClock
      const asking = yield* Effect.fork(
        Effect.forever(
          Effect.zipRight(
            turn,
            Effect.map(isFree(filename), (free) => void answers.push(free))
          )
        )
      )
      yield* Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        yield* Effect.forEach(
          Array.from({ length: 200 }, (_, n) => n + 1),
          (n) =>
            Effect.zipRight(
              store.create(newRun(n)),
              store.append({ jobId: id(n), attempt: 1, events: Array.from({ length: 50 }, () => event("x")) })
            ),
          { concurrency: "unbounded", discard: true }
        )
      }).pipe(Effect.provide(layer(filename)))
      yield* Fiber.interrupt(asking)
      expect(answers.length).toBeGreaterThan(3)
      expect(answers.filter((free) => !free)).toEqual([])
    })
  )

  it.scoped("dies inside a transaction of the application instead of deadlocking", () =>
    Effect.gen(function* () {
      const filename = yield* databaseFile
      yield* Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const store = yield* RunStore.RunStore
        const inside = sql.withTransaction(sql.withTransaction(store.create(newRun(1))))
        const exit = yield* Effect.exit(inside)
        const defect = Exit.isFailure(exit) ? Cause.dieOption(exit.cause) : Option.none()
        expect(String(Option.getOrUndefined(defect))).toContain("inside a transaction of its own SQL client")
        yield* store.create(newRun(1))
      }).pipe(Effect.provide(layer(filename)))
    })
  )

  it.scoped("refuses an in-memory database", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Layer.build(layer(":memory:")))
      expect(error.message).toContain("needs a database file")
    })
  )
})
