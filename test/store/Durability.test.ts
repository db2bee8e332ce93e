/** A store on an application's own client, or beside it. */
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

/** As an application makes it. */
const application = (filename: string) => SqliteClient.layer({ filename })

const settings = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const [synchronous] = yield* sql.unsafe<{ synchronous: number }>("PRAGMA synchronous")
  const [timeout] = yield* sql.unsafe<{ timeout: number }>("PRAGMA busy_timeout")
  return [synchronous?.synchronous, timeout?.timeout]
})

/** What is logged of the store meanwhile. */
const logged = <A, E, R>(use: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const lines: Array<string> = []
    const logger = Logger.make(({ logLevel, message }) => {
      if (String(message).includes("connection")) lines.push(`${logLevel.label} ${String(message)}`)
    })
    yield* Effect.provide(use, Logger.replace(Logger.defaultLogger, logger))
    return lines
  })

/** A client on which statements of that kind do nothing. */
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
        "INFO set on the application's connection to the database: busy_timeout=10 ms (was 5000), synchronous=FULL (was NORMAL)"
      ])
    })
  )

  it.scopedLive("does not freeze the process while another one holds a lock", () =>
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
        // A busy machine may stall a process by itself, but not most of the times.
        expect(stalls.sort((a, b) => a - b)[10]).toBeLessThan(60)
      }).pipe(Effect.provide(RunStore.layer.pipe(Layer.provide(application(filename)))))
    })
  )

  for (const [pragma, matching] of [
    ["synchronous", /synchronous =/],
    ["busy_timeout", /busy_timeout =/]
  ] as const) {
    it.scoped(`is refused with the name of the pragma where ${pragma} cannot be set`, () =>
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

  it.scoped("changes nothing where the application says that it knows, or has asked Database.layer for it", () =>
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

describe("RunStore.layerWith, on a connection of its own,", () => {
  const layer = (filename: string) =>
    RunStore.layerWith({ connection: "own" }).pipe(Layer.provideMerge(application(filename)))

  it.scoped("leaves the application's as it is, and keeps its runs in the same file", () =>
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

  it.scopedLive("never waits between the beginning and the end of a transaction", () =>
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

  it.scoped("dies at once inside a transaction of the application, where its write would wait for that", () =>
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

  it.scoped("is refused for a database in memory", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Layer.build(layer(":memory:")))
      expect(error.message).toContain("needs a database in a file")
    })
  )
})
