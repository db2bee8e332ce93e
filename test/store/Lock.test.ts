/**
 * A database locked by another connection.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, it } from "@effect/vitest"
import { Database, RunStore } from "charlotte"
import { Effect, Exit, Fiber, Layer, Option, Scope } from "effect"
import { RealClock } from "../../src/internal/RealClock.js"
import { lock } from "../support/foreign.js"
import * as HurriedClock from "../support/hurriedClock.js"
import * as TemporaryDirectory from "../support/TemporaryDirectory.js"
import { created, event, id, newRun } from "./runs.js"

const layer = (filename: string) => RunStore.layer.pipe(Layer.provide(Database.layer({ filename })))

/** An empty database file with the schema. */
const database = Effect.tap(TemporaryDirectory.file("test.db"), (filename) =>
  Effect.provide(Effect.void, layer(filename))
)

const sleep = (millis: number) => Effect.flatMap(RealClock, (clock) => clock.sleep(millis))

/** The longest block of the event loop while `effect` ran. */
const longestStall = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const { now, turn } = yield* RealClock
    let longest = 0
    let last = yield* now
    const beat = Effect.map(Effect.zipRight(turn, now), (time) => {
      longest = Math.max(longest, time - last)
      last = time
    })
    const heart = yield* Effect.fork(Effect.forever(beat))
    yield* effect
    yield* beat
    yield* Fiber.interrupt(heart)
    return longest
  })

describe("a write to a database locked by another connection", () => {
  it.scoped("waits for the lock and succeeds", () =>
    Effect.gen(function* () {
      const filename = yield* database
      yield* Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        const unlock = yield* lock(filename, "BEGIN IMMEDIATE")
        const writes = yield* Effect.forEach([1, 2, 3], (n) => Effect.forkScoped(store.create(newRun(n))))
        yield* sleep(150)
        expect(yield* Effect.forEach(writes, Fiber.poll)).toEqual([Option.none(), Option.none(), Option.none()])
        // Reads do not wait.
        expect(yield* store.list()).toEqual([])
        yield* unlock
        yield* Effect.forEach(writes, Fiber.join)
        expect(yield* store.list()).toHaveLength(3)
      }).pipe(Effect.provide(layer(filename)))
    })
  )

  it.scoped("does not block the event loop while it waits", () =>
    Effect.gen(function* () {
      const filename = yield* database
      const stall = Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        const unlock = yield* lock(filename, "BEGIN IMMEDIATE")
        const write = yield* Effect.forkScoped(store.append({ jobId: id(1), attempt: 1, events: [event("x")] }))
        const longest = yield* longestStall(sleep(200))
        yield* unlock
        yield* Fiber.join(write)
        return longest
      })
      // A loaded machine may stall the event loop too, but not every time.
      const shortest = stall.pipe(Effect.repeat({ until: (longest) => longest < 50, times: 40 }))
      expect(yield* Effect.zipRight(created(1), shortest).pipe(Effect.provide(layer(filename)))).toBeLessThan(50)
    })
  )

  it.scoped("fails after five seconds, and the next write succeeds", () =>
    Effect.gen(function* () {
      const filename = yield* database
      yield* Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        const { now } = yield* RealClock
        const unlock = yield* lock(filename, "BEGIN IMMEDIATE")
        const begun = yield* now
        const error = yield* Effect.flip(store.create(newRun(1)))
        expect(error).toMatchObject({ _tag: "StoreError", reason: "busy", operation: "start a job" })
        expect((yield* now) - begun).toBeGreaterThan(5_000)
        expect((yield* now) - begun).toBeLessThan(5_500)
        expect(yield* store.list()).toEqual([])
        yield* unlock
        yield* created(1)
      }).pipe(Effect.provide(layer(filename)))
    }).pipe(Effect.provide(HurriedClock.layer))
  )

  it.scoped("delays the close of the store by one timeout, however many writes are queued", () =>
    Effect.gen(function* () {
      const filename = yield* database
      const { now } = yield* RealClock
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(layer(filename), scope)
      yield* Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        yield* created(1)
        yield* Effect.asVoid(lock(filename, "BEGIN IMMEDIATE"))
        const append = store.append({
          jobId: id(1),
          attempt: 1,
          events: Array.from({ length: 4_000 }, () => event("x"))
        })
        const writes = yield* Effect.replicateEffect(Effect.forkScoped(Effect.flip(append)), 10)
        yield* Effect.yieldNow()
        const begun = yield* now
        yield* Scope.close(scope, Exit.void)
        expect((yield* now) - begun).toBeLessThan(11_000)
        for (const write of writes) expect(yield* Fiber.join(write)).toMatchObject({ reason: "busy" })
      }).pipe(Effect.provide(context))
    }).pipe(Effect.provide(HurriedClock.layer))
  )
})

describe("opening a database locked by another connection", () => {
  for (const [what, begin, prepare] of [
    ["exclusively, in rollback journal mode", "BEGIN EXCLUSIVE", "PRAGMA journal_mode = DELETE"],
    ["for a write, in rollback journal mode", "BEGIN IMMEDIATE", "PRAGMA journal_mode = DELETE"],
    ["for a write, in WAL mode", "BEGIN IMMEDIATE", "PRAGMA journal_mode = WAL"]
  ] as const) {
    const locked = Effect.gen(function* () {
      const filename = yield* TemporaryDirectory.file("test.db")
      yield* Effect.flatMap(SqlClient.SqlClient, (sql) =>
        Effect.zipRight(sql.unsafe(prepare), sql`CREATE TABLE theirs (x)`)
      ).pipe(Effect.provide(Database.layer({ filename })))
      return { filename, unlock: yield* lock(filename, begin) }
    })

    it.scoped(`${what}, waits for the lock and succeeds`, () =>
      Effect.gen(function* () {
        const { filename, unlock } = yield* locked
        const opening = yield* Effect.forkScoped(Effect.provide(created(1), layer(filename)))
        yield* sleep(100)
        expect(yield* Fiber.poll(opening)).toEqual(Option.none())
        yield* unlock
        yield* Fiber.join(opening)
      })
    )

    it.scoped(`${what}, fails after five seconds`, () =>
      Effect.gen(function* () {
        const { filename } = yield* locked
        const error = yield* Effect.flip(Effect.provide(Effect.void, layer(filename)))
        expect(error).toMatchObject({ _tag: "StoreError", reason: "busy" })
      }).pipe(Effect.provide(HurriedClock.layer))
    )
  }
})
