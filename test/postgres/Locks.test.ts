/**
 * What SQLite's single writer does by itself, and what goes wrong without each of the locks that do it here.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, it } from "@effect/vitest"
import { RunStore } from "charlotte"
import { Context, Effect, Either, Fiber } from "effect"
import { RealClock } from "../../src/internal/RealClock.js"
import { at, event, id, kind, newRun } from "../store/runs.js"
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

  /** What comes of two starts in separate transactions: the second begins when the first is about to commit. */
  const admitted = (
    tampering: tampered.Tampering,
    start: (client: Client, n: number) => Effect.Effect<unknown, unknown>
  ) =>
    Effect.gen(function* () {
      const url = yield* TestDatabase.make
      const one = yield* tampered.open(url, tampering)
      const other = yield* tampered.open(url, tampering)
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

  /** In a transaction of an application, where one run may be pending. */
  const insert = ({ context }: Client, n: number) =>
    Context.get(context, SqlClient.SqlClient).withTransaction(
      Effect.flatMap(storeOf(context).outbox, ({ insert }) => insert(newRun(n, { maxQueued: 1 })))
    )

  /** On one of two nodes, where one job may run. */
  const place = ({ context }: Client, n: number) =>
    storeOf(context).cluster.admit(newRun(n), {
      candidates: [{ id: id(n), address: `127.0.0.1:${n}`, capacity: 10 }],
      whenFull: "refuse",
      waiting: []
    })

  const unlocked = {
    rewrite: (sql: string) =>
      /^SELECT pg_advisory_xact_lock\(\d+, hashtext\(\$1\)\)/.test(sql) ? "SELECT $1::text" : sql
  }

  it.scoped("makes the limit of pending runs exact for concurrent transactions", () =>
    Effect.gen(function* () {
      expect(yield* admitted({}, insert)).toEqual(["in", expect.stringContaining("QueueFull")])
    })
  )

  it.scoped("is needed: without it, more get in than the limit", () =>
    Effect.gen(function* () {
      expect(yield* admitted(unlocked, insert)).toEqual(["in", "in"])
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
        const held = yield* first.hold(/pg_advisory_xact_lock/)
        // Each in one transaction, in this order.
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
