/**
 * What comes of each failure that a server of PostgreSQL can have: what is tried again, and what a user reads.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, it } from "@effect/vitest"
import { Database, RunStore } from "charlotte"
import { Context, Deferred, Effect, Either, Fiber, Layer } from "effect"
import { RealClock } from "../../src/internal/RealClock.js"
import * as Audit from "../../src/store/Audit.js"
import { at, created, event, id, log, newRun } from "../store/runs.js"
import * as TestDatabase from "./database.js"
import * as ownServer from "./ownServer.js"
import { layer } from "./store.js"
import * as tampered from "./tampered.js"

const append = (n: number) =>
  Effect.flatMap(RunStore.RunStore, (store) => store.append({ jobId: id(n), attempt: 1, events: [event("step")] }))

/** From now on, so many inserts of a table fail with this code. Answers how many have come. */
const failWith = (code: string, times: number, table = "charlotte_events") =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    yield* sql.unsafe("CREATE SEQUENCE statements")
    yield* sql.unsafe(`
      CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF nextval('statements') <= ${times} THEN RAISE EXCEPTION 'the server says so' USING ERRCODE = '${code}'; END IF;
        RETURN NEW;
      END $$`)
    yield* sql.unsafe(`CREATE TRIGGER fail BEFORE INSERT ON ${table} FOR EACH ROW EXECUTE FUNCTION fail()`)
    return Effect.map(sql<{ n: string }>`SELECT last_value AS n FROM statements`, ([row]) => Number(row?.n))
  })

const noViolations = Effect.map(Audit.run(), ({ violations }) => expect(violations).toEqual([]))

describe("an error of PostgreSQL that may be gone in a moment", () => {
  for (const code of ["40001", "40P01", "55P03", "08006", "57P01", "57P03", "53300"]) {
    it.scoped(`${code} is tried again, and the write is made once`, () =>
      Effect.gen(function* () {
        yield* created(1)
        const statements = yield* failWith(code, 2)
        yield* append(1)
        expect(yield* statements).toBe(3)
        expect(yield* log(id(1))).toEqual(["1 job.started", "2 step"])
        yield* noViolations
      }).pipe(Effect.provide(layer))
    )
  }

  it.scoped("is tried again in the middle of a transaction, with the writes that share it", () =>
    Effect.gen(function* () {
      const store = yield* RunStore.RunStore
      yield* created(1)
      const statements = yield* failWith("40001", 2, "charlotte_attempts")
      const process = { attempt: 1, bootId: "this boot", purpose: "agent", at: at(1), jobId: id(1), cookie: "cookie" }
      yield* Effect.all([append(1), store.childProcesses.open(process), append(1)], { concurrency: "unbounded" })
      expect(yield* statements).toBe(3)
      expect(yield* log(id(1))).toEqual(["1 job.started", "2 step", "3 step"])
      expect(yield* store.childProcesses.unclosed(id(1))).toMatchObject([{ cookie: "cookie" }])
      yield* noViolations
    }).pipe(Effect.provide(layer))
  )
})

describe("an error of PostgreSQL that stays", () => {
  for (const [code, reason, remedy] of [
    ["53100", "full", "free space on the disk of the database server"],
    ["25006", "readonly", "connect to the primary server"],
    ["XX001", "corrupt", "stop the server, check its disk, and restore a backup"],
    ["XX002", "corrupt", "stop the server, check its disk, and restore a backup"]
  ] as const) {
    it.scoped(`${code} refuses the write as ${reason} and says what to do, and the next write is made`, () =>
      Effect.gen(function* () {
        yield* created(1)
        const statements = yield* failWith(code, 1)
        const error = yield* Effect.flip(append(1))
        expect(error).toMatchObject({ _tag: "StoreError", reason })
        expect(error.message).toContain(`append events failed (${reason}): the server says so; ${remedy}`)
        yield* append(1)
        expect(yield* statements).toBe(2)
        expect(yield* log(id(1))).toEqual(["1 job.started", "2 step"])
        yield* noViolations
      }).pipe(Effect.provide(layer))
    )
  }
})

/** Runs `use` while a transaction of an application, on a client of its own, holds what a statement locks. Before its commit it locks more. */
const whileLocked = <A, E, R>(
  url: string,
  lock: string,
  use: (commit: Effect.Effect<void>, other: SqlClient.SqlClient) => Effect.Effect<A, E, R>,
  lockLast = "SELECT 1"
) =>
  Effect.gen(function* () {
    const other = Context.get(yield* Layer.build(Database.layerPostgres({ url })), SqlClient.SqlClient)
    const locked = yield* Deferred.make<void>()
    const release = yield* Deferred.make<void>()
    const holder = yield* other
      .withTransaction(
        Effect.gen(function* () {
          yield* other.unsafe(lock)
          yield* Deferred.succeed(locked, undefined)
          yield* Deferred.await(release)
          yield* other.unsafe(lockLast)
        })
      )
      .pipe(Effect.orDie, Effect.fork)
    yield* Deferred.await(locked)
    const commit = Effect.zipRight(Deferred.succeed(release, undefined), Fiber.join(holder))
    return yield* use(commit, other)
  })

/** Waits until so many transactions have waited for a lock, for at least so many milliseconds. */
const transactionsHaveWaited = (sql: SqlClient.SqlClient, count: number, atLeast = 0) =>
  Effect.gen(function* () {
    const { sleep } = yield* RealClock
    const seen = new Set<string>()
    while (seen.size < count) {
      const blocked = yield* sql<{ xid: string }>`
        SELECT backend_xid::text AS xid FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock' AND backend_xid IS NOT NULL
          AND clock_timestamp() - query_start > ${atLeast} * interval '1 millisecond'`
      for (const { xid } of blocked) seen.add(xid)
      yield* sleep(5)
    }
  })

describe("a lock that another transaction holds", () => {
  const lockRun = `SELECT 1 FROM charlotte_runs WHERE id = '${id(1)}' FOR UPDATE`

  /** Alters the database, and a store that is opened after that. */
  const opened = (setting: string) =>
    Effect.gen(function* () {
      const url = yield* TestDatabase.make
      const { context } = yield* tampered.open(url)
      yield* Context.get(context, SqlClient.SqlClient).unsafe(
        `ALTER DATABASE ${new URL(url).pathname.slice(1)} SET ${setting}`
      )
      yield* Effect.provide(created(1), context)
      return { url, store: (yield* tampered.open(url)).context }
    })

  /** A write waits for the lock for at least so many milliseconds, and is made once the lock is gone. */
  const isMadeAfter = (setting: string, atLeast = 0) =>
    Effect.gen(function* () {
      const { store, url } = yield* opened(setting)
      yield* whileLocked(url, lockRun, (commit, other) =>
        Effect.gen(function* () {
          const write = yield* Effect.fork(append(1))
          yield* transactionsHaveWaited(other, 1, atLeast)
          yield* commit
          yield* Fiber.join(write)
          expect(yield* log(id(1))).toEqual(["1 job.started", "2 step"])
        })
      ).pipe(Effect.provide(store))
    })

  it.scoped("is waited for beyond the lock_timeout of the database", () => isMadeAfter("lock_timeout = '100ms'", 500))

  it.scoped("for more than five seconds, the write is refused as busy and says what to do", () =>
    Effect.gen(function* () {
      const { store, url } = yield* opened("lock_timeout = '100ms'")
      yield* whileLocked(url, lockRun, (commit) =>
        Effect.gen(function* () {
          const error = yield* Effect.flip(append(1))
          expect(error).toMatchObject({ _tag: "StoreError", reason: "busy" })
          expect(error.message).toContain("another transaction holds a lock for too long; end it")
          yield* commit
          yield* append(1)
          expect(yield* log(id(1))).toEqual(["1 job.started", "2 step"])
        })
      ).pipe(Effect.provide(store))
    })
  )

  it.scoped("is part of a deadlock, and the write that PostgreSQL gives up on is made after it", () =>
    Effect.gen(function* () {
      const { store, url } = yield* opened("deadlock_timeout = '100ms'")
      // The one that has waited for that long is the victim, and this one is not.
      const lockLog = "SET LOCAL deadlock_timeout = '1min'; SELECT cursor FROM charlotte_log FOR UPDATE"
      yield* whileLocked(
        url,
        lockLog,
        (commit, other) =>
          Effect.gen(function* () {
            // It has the row of the run, and waits for that of the log.
            const write = yield* Effect.fork(append(1))
            yield* transactionsHaveWaited(other, 1)
            yield* commit
            yield* Fiber.join(write)
            expect(yield* log(id(1))).toEqual(["1 job.started", "2 step"])
            const { sleep } = yield* RealClock
            const deadlocks = other<{ deadlocks: string }>`
              SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()`
            while (Number((yield* deadlocks)[0]?.deadlocks) === 0) yield* sleep(50)
          }),
        lockRun
      ).pipe(Effect.provide(store))
    })
  )

  it.scoped("does not make a transaction of a database that is set to repeatable read miss what was committed", () =>
    isMadeAfter("default_transaction_isolation = 'repeatable read'")
  )
})

describe("a key that two processes take at the same moment", () => {
  /** The lock of admissions, which would come before, is removed. */
  const rewrite = (sql: string) => (sql.includes("charlotte_limits") ? sql.replace("FOR NO KEY UPDATE", "") : sql)

  const both = (with_: Partial<RunStore.NewRun>) =>
    Effect.gen(function* () {
      const url = yield* TestDatabase.make
      const first = yield* tampered.open(url, { rewrite })
      const second = yield* tampered.open(url, { rewrite })
      const create = (n: number, context: Context.Context<RunStore.RunStore>) =>
        Context.get(context, RunStore.RunStore).create(newRun(n, with_))
      const held = yield* first.hold(/^COMMIT/)
      const slow = yield* Effect.fork(create(1, first.context))
      yield* held.reached
      const fast = yield* Effect.fork(Effect.either(create(2, second.context)))
      yield* transactionsHaveWaited(Context.get(first.context, SqlClient.SqlClient), 1)
      yield* held.release
      yield* Fiber.join(slow)
      return yield* Fiber.join(fast)
    })

  it.scoped("is that of the one whose commit is first, and the other is a JobConflict", () =>
    Effect.gen(function* () {
      expect(yield* both({ key: "branch" })).toMatchObject(
        Either.left({ _tag: "JobConflict", jobId: id(1), key: "branch" })
      )
    })
  )

  it.scoped("and is an idempotency key, starts one job, which answers both", () =>
    Effect.gen(function* () {
      expect(yield* both({ idempotency: { key: "once", request: "r" } })).toMatchObject(
        Either.right({ _tag: "Existing", id: id(1) })
      )
    })
  )
})

describe("a database whose log has lost its row", () => {
  it.scoped("takes no event: it would get an earlier cursor again", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* created(1)
      yield* sql`DELETE FROM charlotte_log`
      expect(yield* Effect.flip(append(1))).toMatchObject({ _tag: "StoreError", reason: "corrupt" })
      expect(yield* log(id(1))).toEqual(["1 job.started"])
    }).pipe(Effect.provide(layer))
  )
})

describe("a connection", () => {
  it.scoped("that the server terminates costs no write, and makes none twice", () =>
    Effect.gen(function* () {
      yield* created(1)
      const sql = yield* SqlClient.SqlClient
      const writes = 40
      const terminate = sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()`
      for (let n = 0; n < writes; n++) {
        yield* Effect.all([append(1), Effect.either(terminate)], { concurrency: "unbounded" })
      }
      expect(yield* log(id(1))).toEqual(["1 job.started", ...Array.from({ length: writes }, (_, n) => `${n + 2} step`)])
      yield* noViolations
    }).pipe(Effect.provide(layer))
  )

  it.scoped("to a database that is set to read-only refuses writes, still reads, and says what to do", () =>
    Effect.gen(function* () {
      const url = yield* TestDatabase.make
      const name = new URL(url).pathname.slice(1)
      const { context } = yield* tampered.open(url)
      yield* Effect.gen(function* () {
        yield* created(1)
        const sql = yield* SqlClient.SqlClient
        yield* sql.unsafe(`ALTER DATABASE ${name} SET default_transaction_read_only = on`)
      }).pipe(Effect.provide(context))
      const readOnly = yield* tampered.open(url)
      yield* Effect.gen(function* () {
        const error = yield* Effect.flip(append(1))
        expect(error).toMatchObject({ _tag: "StoreError", reason: "readonly" })
        expect(error.message).toContain(
          "connect to the primary server, and see that default_transaction_read_only is off"
        )
        expect(yield* log(id(1))).toEqual(["1 job.started"])
      }).pipe(Effect.provide(readOnly.context))
    })
  )

  const opening = (url: string) =>
    Effect.flip(Effect.scoped(Layer.build(RunStore.layer.pipe(Layer.provide(Database.layerPostgres({ url }))))))

  it.scoped("to a stopped server is tried for five seconds, and made again once the server is there", () =>
    Effect.gen(function* () {
      const server = yield* ownServer.make
      const { context } = yield* tampered.open(server.url)
      yield* Effect.gen(function* () {
        yield* created(1)
        yield* server.stop
        const error = yield* Effect.flip(append(1))
        expect(error).toMatchObject({ _tag: "StoreError", reason: "unreachable" })
        expect(error.message).toMatch(/ECONNREFUSED.*; start the database server, or check its address$/)
        expect((yield* opening(server.url)).message).toMatch(/ECONNREFUSED.*; start the database server/)
        // Tried until it is there.
        const write = yield* Effect.fork(append(1))
        yield* server.start
        yield* Fiber.join(write)
        expect(yield* log(id(1))).toEqual(["1 job.started", "2 step"])
        yield* noViolations
      }).pipe(Effect.provide(context))
    })
  )

  it.scoped("to no database, or without its rights, says what to do", () =>
    Effect.gen(function* () {
      const url = new URL(yield* TestDatabase.make)
      const missing = new URL(url)
      missing.pathname = "/charlotte_missing"
      expect((yield* opening(missing.href)).message).toContain("does not exist; create it with: createdb")
      yield* TestDatabase.admin("DROP ROLE IF EXISTS charlotte_guest")
      yield* TestDatabase.admin("CREATE ROLE charlotte_guest LOGIN")
      yield* Effect.addFinalizer(() => TestDatabase.admin("DROP ROLE charlotte_guest"))
      const guest = new URL(url)
      guest.username = "charlotte_guest"
      expect((yield* opening(guest.href)).message).toContain(
        "permission denied for schema public; grant the user CREATE"
      )
    })
  )
})
