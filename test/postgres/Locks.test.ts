/**
 * What SQLite's single writer does by itself, and what goes wrong without each of the locks that do it here.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, it } from "@effect/vitest"
import { RunStore } from "charlotte"
import { Array, Context, Deferred, Duration, Effect, Either, Fiber, Option } from "effect"
import { asClock, RealClock } from "../../src/internal/RealClock.js"
import { at, event, handedOn, id, kind, newRun } from "../store/runs.js"
import * as TestDatabase from "./database.js"
import * as tampered from "./tampered.js"

const storeOf = (context: Context.Context<RunStore.RunStore>) => Context.get(context, RunStore.RunStore)

/** Returns when the fiber has ended, or waits for a lock of the database. */
const endedOrBlocked = (fiber: Fiber.RuntimeFiber<unknown, unknown>, sql: SqlClient.SqlClient) =>
  Effect.gen(function* () {
    const { sleep } = yield* RealClock
    while (fiber.unsafePoll() === null) {
      const blocked = yield* sql`
        SELECT 1 AS one FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
      if (blocked.length > 0) return
      yield* sleep(10)
    }
  })

describe("the row of the log", () => {
  /** The events of two writers that a follower sees: the first has drawn its cursors when the second commits. */
  const followed = (tampering: tampered.Tampering) =>
    Effect.gen(function* () {
      const url = yield* TestDatabase.make
      const first = yield* tampered.open(url, tampering)
      const second = yield* tampered.open(url, tampering)
      const sql = Context.get(second.context, SqlClient.SqlClient)
      const { allEvents, create } = storeOf(second.context)
      const held = yield* first.hold(/^COMMIT/)
      const slow = yield* Effect.fork(storeOf(first.context).create(newRun(1)))
      yield* held.reached
      const fast = yield* Effect.fork(create(newRun(2)))
      yield* endedOrBlocked(fast, sql)
      const before = yield* allEvents({ kind, after: 0, limit: 10 })
      yield* held.release
      yield* Fiber.joinAll([slow, fast])
      const after = yield* allEvents({ kind, after: before.cursor, limit: 10 })
      return [...before.events, ...after.events].map(({ jobId }) => jobId).sort()
    })

  it.scoped("makes the order of cursors that of commits, so that no follower misses an event", () =>
    Effect.gen(function* () {
      expect(yield* followed({})).toEqual([id(1), id(2)])
    })
  )

  it.scoped("is needed: with a sequence instead of it, a follower misses an event", () =>
    Effect.gen(function* () {
      const rewrite = (sql: string) =>
        sql
          .replace("INSERT INTO charlotte_log VALUES (1, 0)", "CREATE SEQUENCE charlotte_sequence")
          .replace(
            /UPDATE charlotte_log SET cursor = cursor \+ \$1 RETURNING cursor/,
            "SELECT nextval('charlotte_sequence') + $1::bigint - 1 AS cursor"
          )
          .replace("SELECT cursor FROM charlotte_log", "SELECT last_value AS cursor FROM charlotte_sequence")
      expect(yield* followed({ rewrite })).toEqual([id(2)])
    })
  )
})

describe("the lock of a run", () => {
  /** What comes of a write about a job while another process commits an event of the same job. */
  const written = (tampering: tampered.Tampering) =>
    Effect.gen(function* () {
      const url = yield* TestDatabase.make
      const first = yield* tampered.open(url, tampering)
      const second = yield* tampered.open(url, tampering)
      const sql = Context.get(second.context, SqlClient.SqlClient)
      yield* storeOf(first.context).create(newRun(1))
      const held = yield* first.hold(/^COMMIT/)
      const emitted = { jobId: id(1), attempt: 1, events: [event("a")] }
      const slow = yield* Effect.fork(storeOf(first.context).append(emitted))
      yield* held.reached
      const fast = yield* Effect.fork(Effect.either(storeOf(second.context).append(emitted)))
      yield* endedOrBlocked(fast, sql)
      yield* held.release
      yield* Fiber.join(slow)
      const written = yield* Fiber.join(fast)
      const page = yield* Effect.flatten(storeOf(second.context).events({ kind, jobId: id(1), after: 0, limit: 10 }))
      return { seqs: page.events.map(({ seq }) => seq), isWritten: Either.isRight(written) }
    })

  it.scoped("comes before its last event is read, so that two writers number theirs one after the other", () =>
    Effect.gen(function* () {
      expect(yield* written({})).toEqual({ seqs: [1, 2, 3], isWritten: true })
    })
  )

  it.scoped("is needed: without it, a write is refused", () =>
    Effect.gen(function* () {
      const rewrite = (sql: string) => sql.replace(" FOR NO KEY UPDATE", "")
      expect(yield* written({ rewrite })).toEqual({ seqs: [1, 2], isWritten: false })
    })
  )
})

describe("the lock of admissions", () => {
  type Client = Effect.Effect.Success<ReturnType<typeof tampered.open>>

  /** What comes of two starts of separate processes: the second begins when the first is about to commit. */
  const admitted = (
    tampering: tampered.Tampering,
    start: (client: Client, n: number) => Effect.Effect<unknown, unknown>
  ) =>
    Effect.gen(function* () {
      const url = yield* TestDatabase.make
      const one = yield* tampered.open(url, tampering)
      const other = yield* tampered.open(url, tampering)
      // The row of the kind is there.
      yield* storeOf(one.context).cluster.limit({ kind, maxJobs: 1 })
      const held = yield* one.hold(/^COMMIT/)
      const first = yield* Effect.fork(Effect.either(start(one, 1)))
      yield* held.reached
      const second = yield* Effect.fork(Effect.either(start(other, 2)))
      yield* endedOrBlocked(second, Context.get(other.context, SqlClient.SqlClient))
      yield* held.release
      const answers = yield* Fiber.join(Fiber.zip(first, second))
      return answers.map((answer) => (Either.isRight(answer) ? "in" : String(answer.left)))
    })

  /** Where one run may be pending. */
  const queue = ({ context }: Client, n: number) => storeOf(context).create(newRun(n, { isQueued: true, maxQueued: 1 }))

  /** On one of two nodes, where one job may run. */
  const place = ({ context }: Client, n: number) =>
    storeOf(context).cluster.admit(newRun(n), {
      candidates: [{ id: id(n), address: `127.0.0.1:${n}`, capacity: 10 }],
      whenFull: "refuse",
      waiting: []
    })

  const unlocked = {
    rewrite: (sql: string) => (sql.includes("charlotte_limits") ? sql.replace("FOR NO KEY UPDATE", "") : sql)
  }

  it.scoped("makes the limit of pending runs exact for processes that start them at the same time", () =>
    Effect.gen(function* () {
      expect(yield* admitted({}, queue)).toEqual(["in", expect.stringContaining("QueueFull")])
    })
  )

  it.scoped("is needed: without it, more get in than the limit", () =>
    Effect.gen(function* () {
      expect(yield* admitted(unlocked, queue)).toEqual(["in", "in"])
    })
  )

  it.scoped("makes the limit of running jobs exact for concurrent starts of two nodes", () =>
    Effect.gen(function* () {
      expect(yield* admitted({}, place)).toEqual(["in", expect.stringContaining("MaxJobsReached")])
    })
  )

  it.scoped("is needed: without it, two nodes run more jobs than the limit", () =>
    Effect.gen(function* () {
      expect(yield* admitted(unlocked, place)).toEqual(["in", "in"])
    })
  )
})

describe("the lock of a kind that is held for longer than a statement waits", () => {
  it.scoped("delays many starts of the kind together, which then share their transactions", () =>
    Effect.gen(function* () {
      const url = yield* TestDatabase.make
      const { context } = yield* tampered.open(url)
      const store = storeOf(context)
      yield* store.cluster.limit({ kind, maxJobs: 1 })
      const { sleep } = yield* RealClock
      const release = yield* Deferred.make<void>()
      const locked = yield* Deferred.make<void>()
      const { context: other } = yield* tampered.open(url)
      const sql = Context.get(other, SqlClient.SqlClient)
      const holder = yield* sql`SELECT 1 AS one FROM charlotte_limits FOR NO KEY UPDATE`.pipe(
        Effect.zipRight(Deferred.succeed(locked, undefined)),
        Effect.zipRight(Deferred.await(release)),
        sql.withTransaction,
        Effect.fork
      )
      yield* Deferred.await(locked)
      const ns = Array.range(1, 50)
      const starts = yield* Effect.fork(
        Effect.forEach(ns, (n) => store.create(newRun(n, { isQueued: true })), { concurrency: "unbounded" })
      )
      // A start is tried again, if its statement has waited for too long.
      const rolledBack = Effect.map(
        sql<{ n: string }>`SELECT xact_rollback AS n FROM pg_stat_database WHERE datname = current_database()`,
        ([row]) => Number(row?.n)
      )
      const before = yield* rolledBack
      while ((yield* rolledBack) === before) yield* sleep(20)
      yield* Deferred.succeed(release, undefined)
      yield* Fiber.join(Fiber.zip(holder, starts))
      const inserting = yield* sql`SELECT DISTINCT CAST(xmin AS text) AS transaction FROM charlotte_runs`
      expect(inserting.length).toBeLessThan(4)
      expect(yield* store.pending(kind)).toBe(ns.length)
    })
  )
})

describe("a transaction of an application that stays open after a start", () => {
  /** A store, and a transaction that has inserted a run with a key and waits for `release`. */
  const inTransaction = Effect.gen(function* () {
    const url = yield* TestDatabase.make
    const { context } = yield* tampered.open(url)
    const sql = Context.get(context, SqlClient.SqlClient)
    const store = storeOf(context)
    const inserted = yield* Deferred.make<void>()
    const release = yield* Deferred.make<void>()
    const insert = (run: RunStore.NewRun) => store.outbox.insert(run)
    const open = insert(newRun(1, { startKey: "k" })).pipe(
      Effect.zipRight(Deferred.succeed(inserted, undefined)),
      Effect.zipRight(Deferred.await(release)),
      sql.withTransaction
    )
    const transaction = yield* Effect.fork(open)
    yield* Deferred.await(inserted)
    const commit = Effect.zipRight(Deferred.succeed(release, undefined), Fiber.join(transaction))
    return { commit, insert, sql, store }
  })

  it.scoped("holds up a start with the same key, and no other start, begin or end", () =>
    Effect.gen(function* () {
      const { commit, sql, store } = yield* inTransaction
      const same = yield* Effect.fork(Effect.either(store.create(newRun(2, { startKey: "k" }))))
      yield* endedOrBlocked(same, sql)
      yield* store.create(newRun(3, { isQueued: true, key: "other" }))
      yield* store.begin({ jobId: id(3), attempt: 1, key: undefined, at: at(9) })
      yield* store.record({ type: "job.completed", jobId: id(3), attempt: 1, at: at(9), result: null })
      expect(same.unsafePoll()).toBe(null)
      expect(Duration.toMillis(yield* store.oldestWrite)).toBeGreaterThan(0)
      yield* commit
      expect(yield* Fiber.join(same)).toMatchObject(Either.left({ _tag: "JobConflict", jobId: id(1), key: "k" }))
    })
  )

  it.scoped("makes a start with the same key fail as busy after five seconds", () =>
    Effect.gen(function* () {
      const { commit, store } = yield* inTransaction
      const [took, error] = yield* Effect.timed(Effect.flip(store.create(newRun(2, { startKey: "k" })))).pipe(
        Effect.withClock(yield* asClock)
      )
      expect(error).toMatchObject({ _tag: "StoreError", reason: "busy" })
      expect(Duration.toSeconds(took)).toBeGreaterThan(4)
      yield* commit
    })
  )

  it.scoped("makes another one with the same key wait, which finds the conflict by a read", () =>
    Effect.gen(function* () {
      const { commit, insert, sql } = yield* inTransaction
      const second = insert(newRun(2, { startKey: "k" })).pipe(
        Effect.either,
        // The transaction goes on.
        Effect.zipLeft(sql`SELECT 1`),
        sql.withTransaction
      )
      const other = yield* Effect.fork(second)
      yield* endedOrBlocked(other, sql)
      yield* commit
      expect(yield* Fiber.join(other)).toMatchObject(Either.left({ _tag: "JobConflict", jobId: id(1) }))
    })
  )

  it.scoped("is counted among the pending runs once it has left the outbox", () =>
    Effect.gen(function* () {
      const { commit, insert, sql, store } = yield* inTransaction
      expect(yield* store.pending(kind)).toBe(0)
      // The limit counts what is committed.
      yield* sql.withTransaction(insert(newRun(2, { maxQueued: 1 })))
      yield* commit
      expect(yield* store.pending(kind)).toBe(0)
      yield* store.outbox.queue(kind)
      expect(yield* store.pending(kind)).toBe(2)
      const third = sql.withTransaction(insert(newRun(3, { maxQueued: 2 })))
      expect(yield* Effect.flip(third)).toMatchObject({ _tag: "QueueFull" })
    })
  )

  it.scoped("has its own lock_timeout after a start, also after a savepoint", () =>
    Effect.gen(function* () {
      const { commit, insert, sql } = yield* inTransaction
      const timeout = Effect.map(sql<{ lock_timeout: string }>`SHOW lock_timeout`, ([row]) => row?.lock_timeout)
      const found = Effect.gen(function* () {
        yield* sql`SET LOCAL lock_timeout TO '7s'`
        yield* insert(newRun(2))
        const first = yield* timeout
        yield* sql.withTransaction(insert(newRun(3)))
        return [first, yield* timeout]
      })
      expect(yield* sql.withTransaction(found)).toEqual(["7s", "7s"])
      yield* commit
    })
  )

  it.scoped("gets the key on which it waited though the holder has ended before its commit", () =>
    Effect.gen(function* () {
      const url = yield* TestDatabase.make
      const { context } = yield* tampered.open(url)
      const sql = Context.get(context, SqlClient.SqlClient)
      const store = storeOf(context)
      yield* store.create(newRun(1, { startKey: "k" }))
      yield* sql.withTransaction(
        Effect.gen(function* () {
          yield* store.outbox.insert(newRun(2, { startKey: "k", whenKeyTaken: "queue" }))
          const end = store.record({ type: "job.completed", jobId: id(1), attempt: 1, at: at(9), result: null })
          // Outside of the transaction.
          yield* Effect.flatMap(Effect.forkDaemon(Effect.provide(end, Context.empty())), Fiber.join).pipe(
            Effect.mapInputContext((context: Context.Context<never>) =>
              Context.omit(SqlClient.TransactionConnection)(context)
            )
          )
        })
      )
      yield* store.outbox.queue(kind)
      expect(yield* Effect.provide(handedOn(id(2)), context)).toMatchObject({ status: "pending", waitsFor: "permit" })
    })
  )
})

describe("a key that a process has not handed on before it was gone", () => {
  it.scoped("goes to the run that waits for it, at the start of the next manager at the latest", () =>
    Effect.gen(function* () {
      const url = yield* TestDatabase.make
      const { context } = yield* tampered.open(url)
      const sql = Context.get(context, SqlClient.SqlClient)
      const store = storeOf(context)
      yield* store.create(newRun(1, { startKey: "k" }))
      yield* store.create(newRun(2, { startKey: "k", whenKeyTaken: "queue" }))
      yield* store.create(newRun(3, { startKey: "k", whenKeyTaken: "queue" }))
      yield* sql`UPDATE charlotte_runs SET status = 'cancelled', ended_at = 9 WHERE id = ${id(1)}`
      yield* store.outbox.queue(kind)
      expect(yield* Effect.provide(handedOn(id(2)), context)).toMatchObject({ waitsFor: "permit" })
      expect(yield* store.get(id(3))).toMatchObject(Option.some({ waitsFor: "key" }))
    })
  )
})

describe("the number of finished runs", () => {
  it.scoped(
    "is locked after all else, so that two nodes which start and end jobs at once do not wait for each other",
    () =>
      Effect.gen(function* () {
        const url = yield* TestDatabase.make
        let rollbacks = 0
        const rewrite = (sql: string) => {
          if (sql === "ROLLBACK") rollbacks += 1
          return sql
        }
        const first = yield* tampered.open(url, { rewrite })
        const second = yield* tampered.open(url, { rewrite })
        const sql = Context.get(second.context, SqlClient.SqlClient)
        const store = storeOf(first.context)
        yield* store.cluster.limit({ kind, maxJobs: 10 })
        for (const n of [1, 2]) yield* store.create(newRun(n))
        const end = (of: typeof first, n: number) =>
          storeOf(of.context).record({ type: "job.completed", jobId: id(n), attempt: 1, at: at(9), result: null })
        const start = (of: typeof first, n: number) => {
          const candidate = { id: id(n), address: "127.0.0.1:1", capacity: 10 }
          return storeOf(of.context).cluster.admit(newRun(n), {
            candidates: [candidate],
            whenFull: "refuse",
            waiting: []
          })
        }
        const held = yield* first.hold(/charlotte_limits .*FOR NO KEY UPDATE/)
        const ending = yield* Effect.fork(Effect.all([end(first, 1), start(first, 3)], { concurrency: 2 }))
        yield* held.reached
        const starting = yield* Effect.fork(Effect.all([start(second, 4), end(second, 2)], { concurrency: 2 }))
        yield* endedOrBlocked(starting, sql)
        yield* held.release
        yield* Fiber.join(Fiber.zip(ending, starting))
        expect(rollbacks).toBe(0)
        expect(yield* sql`SELECT kind, runs::integer FROM charlotte_finished`).toEqual([{ kind, runs: 2 }])
      })
  )
})
