import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, it } from "@effect/vitest"
import { Database } from "charlotte"
import { Effect, Exit, Fiber, Layer, Option, Scope } from "effect"
import { afterAll } from "vitest"
import { RealClock } from "../../src/internal/RealClock.js"
import { openSession } from "../../src/store/openSession.js"
import { execute } from "../../src/store/sql/statements.js"
import * as LockPool from "../../src/cluster/engine/lockPool.js"
import { interruptions as ofManager } from "../manager/interruptions.js"
import { interruptions as ofStore } from "../store/interruptions.js"
import { everyFrom } from "../support/interruption.js"
import { isLong } from "../support/long.js"
import * as TestDatabase from "./database.js"
import { at, layer } from "./store.js"

/** The long form begins elsewhere each time; a failure names the step. */
const steps = isLong ? everyFrom(7, Math.floor(Math.random() * 7)) : everyFrom(70, 0)

/** With so few, a lost connection is noticed at once. */
const maxConnections = 2

const scope = Effect.runSync(Scope.make())

afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)))

/** A store on the same database each time. */
const onOne = () => {
  const url = TestDatabase.migrated.pipe(Scope.extend(scope), Effect.cached, Effect.runSync)
  return Layer.unwrapEffect(Effect.map(url, (url) => at(url, maxConnections)))
}

describe("RunStore.layer on PostgreSQL", () => {
  ofStore(onOne(), steps)
})

describe("JobManager on PostgreSQL", () => {
  ofManager(onOne(), steps)
})

describe("reads that are interrupted while the server works on them", () => {
  it.scopedLive("disturb no later statement, although they have all connections", () =>
    Effect.gen(function* () {
      const url = yield* TestDatabase.make
      const session = yield* Effect.provide(
        openSession,
        yield* Layer.build(Database.layerPostgres({ url, maxConnections }))
      )
      const sleeping = (seconds: number) =>
        session.read("sleep", (connection) => execute(connection, `SELECT pg_sleep(${seconds})`))
      const { sleep } = yield* RealClock
      const reads = yield* Effect.replicateEffect(Effect.fork(sleeping(60)), maxConnections)
      // Until the server works on all of them.
      const active = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%pg_sleep(60)'"
      yield* Effect.repeat(Effect.zipRight(sleep(20), TestDatabase.rowsOf(url, active)), {
        until: ({ length }) => length >= maxConnections
      })
      yield* Effect.forEach(reads, (read) => Fiber.interrupt(read), { concurrency: "unbounded" })
      yield* Effect.replicateEffect(sleeping(0.02), 20)
    })
  )
})

describe("the connections for locks of a cluster", () => {
  it.scopedLive("are all there after a fiber that waited for one was interrupted", () =>
    Effect.gen(function* () {
      const pool = yield* LockPool.make(yield* SqlClient.SqlClient, 5_000)
      const scope = yield* Scope.make()
      const hold = Scope.extend(pool.reserve, scope)
      yield* Effect.replicateEffect(hold, LockPool.size)
      const waiting = yield* Effect.fork(Effect.scoped(pool.reserve))
      yield* Effect.yieldNow()
      const interrupting = yield* Effect.fork(Fiber.interrupt(waiting))
      yield* Effect.yieldNow()
      yield* Scope.close(scope, yield* Effect.exit(Effect.void))
      yield* Fiber.join(interrupting)
      const all = yield* Effect.replicateEffect(pool.reserve, LockPool.size).pipe(Effect.timeoutOption("10 seconds"))
      expect(Option.isSome(all)).toBe(true)
    }).pipe(Effect.provide(layer))
  )
})
