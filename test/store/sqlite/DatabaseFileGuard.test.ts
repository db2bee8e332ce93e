/**
 * The files of a database that are deleted, replaced or truncated under a running store.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, it } from "@effect/vitest"
import BetterSqlite3 from "better-sqlite3"
import { Database, RunStore } from "charlotte"
import { Effect, Layer, Logger } from "effect"
import { copyFileSync, renameSync, rmSync, statSync, symlinkSync, truncateSync, writeFileSync } from "node:fs"
import { dirname } from "node:path"
import { RealClock } from "../../../src/internal/RealClock.js"
import { openSession } from "../../../src/store/openSession.js"
import type { Connection } from "../../../src/store/sql/Dialect.js"
import * as DatabaseFileGuard from "../../../src/store/sqlite/DatabaseFileGuard.js"
import { isMissingInFile } from "../../../src/store/sqlite/isMissingInFile.js"
import * as HurriedClock from "../../support/hurriedClock.js"
import * as TemporaryDirectory from "../../support/TemporaryDirectory.js"
import { created, id, newRun, record } from "../runs.js"

const layer = (filename: string) => RunStore.layer.pipe(Layer.provideMerge(Database.layer({ filename })))

/** A complete checkpoint of the WAL. */
const checkpoint = Effect.flatMap(SqlClient.SqlClient, (sql) => sql.unsafe("PRAGMA wal_checkpoint(TRUNCATE)"))

const withStore = <A, E>(use: (filename: string) => Effect.Effect<A, E, RunStore.RunStore | SqlClient.SqlClient>) =>
  Effect.flatMap(TemporaryDirectory.file("test.db"), (filename) =>
    Effect.zipRight(created(1), use(filename)).pipe(Effect.provide(layer(filename)))
  )

const takenAway: Record<string, (filename: string) => void> = {
  deleted: (filename) => rmSync(filename),
  "deleted with its directory": (filename) => rmSync(dirname(filename), { recursive: true }),
  "moved away": (filename) => renameSync(filename, `${filename}.old`),
  "replaced by a copy of itself": (filename) => {
    copyFileSync(filename, `${filename}.copy`)
    renameSync(`${filename}.copy`, filename)
  },
  "replaced by another file": (filename) => {
    rmSync(filename)
    writeFileSync(filename, "")
  }
}

describe("store", () => {
  for (const [what, takeAway] of Object.entries(takenAway)) {
    it.scoped(`refuses writes to a database that was ${what} while open`, () =>
      withStore((filename) =>
        Effect.gen(function* () {
          const store = yield* RunStore.RunStore
          takeAway(filename)
          const error = yield* Effect.flip(store.create(newRun(2)))
          expect(error).toMatchObject({ _tag: "StoreError", reason: "replaced" })
          expect(error.message).toContain(filename)
          expect(error.message).toContain("restore the original file and restart")
          // The file is checked each time.
          yield* Effect.flip(store.record({ type: "job.completed", jobId: id(1), attempt: 1, at: newRun(1).at }))
        })
      )
    )
  }

  it.scoped("accepts writes again once a moved database is moved back", () =>
    withStore((filename) =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        renameSync(filename, `${filename}.old`)
        yield* Effect.flip(store.create(newRun(2)))
        renameSync(`${filename}.old`, filename)
        yield* store.create(newRun(2))
        expect((yield* record(id(2))).status).toBe("running")
      })
    )
  )

  const cuts: Record<string, (filename: string) => number> = {
    "truncated by a page": (filename) => statSync(filename).size - 4_096,
    "truncated to half": (filename) => Math.floor(statSync(filename).size / 2),
    "truncated to zero": () => 0
  }
  for (const [what, length] of Object.entries(cuts)) {
    it.scoped(`refuses writes to a database that was ${what}, before it writes anything`, () =>
      withStore((filename) =>
        Effect.gen(function* () {
          const store = yield* RunStore.RunStore
          // The file has not been checked since it grew.
          yield* checkpoint
          const left = length(filename)
          truncateSync(filename, left)
          for (const n of [2, 3]) {
            const error = yield* Effect.flip(store.create(newRun(n)))
            expect(error).toMatchObject({ _tag: "StoreError", reason: "corrupt" })
            expect(error.message).toContain(`${filename} was truncated while it was open; move away ${filename}-wal`)
          }
          expect(statSync(filename).size).toBe(left)
        })
      )
    )
  }

  const logCuts: Record<string, (log: string) => void> = {
    emptied: (log) => truncateSync(log, 0),
    truncated: (log) => truncateSync(log, 32 + 24 + 4_096),
    deleted: (log) => rmSync(log)
  }
  for (const [what, cut] of Object.entries(logCuts)) {
    it.scoped(`refuses writes after the WAL was ${what}, before it writes anything behind the gap`, () =>
      withStore((filename) =>
        Effect.gen(function* () {
          const store = yield* RunStore.RunStore
          const log = `${filename}-wal`
          yield* created(2)
          cut(log)
          const left = statSync(log, { throwIfNoEntry: false })?.size
          for (const n of [3, 4]) {
            const error = yield* Effect.flip(store.create(newRun(n)))
            expect(error.message).toContain(`${log} was ${what === "emptied" ? "truncated" : what} while it was open`)
          }
          expect(statSync(log, { throwIfNoEntry: false })?.size).toBe(left)
        })
      )
    )
  }

  it.scoped("keeps working while the application checkpoints and restarts the WAL repeatedly", () =>
    withStore((filename) =>
      Effect.gen(function* () {
        for (let n = 2; n < 30; n++) {
          yield* created(n)
          if (n % 3 === 0) yield* checkpoint
          if (n % 3 === 0) expect(statSync(`${filename}-wal`).size).toBe(0)
        }
        expect((yield* record(id(29))).status).toBe("running")
      })
    )
  )

  it.scoped("keeps working after a VACUUM by the application has shrunk the file", () =>
    withStore((filename) =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        yield* sql`CREATE TABLE theirs (x)`
        yield* sql`INSERT INTO theirs VALUES (zeroblob(1000000))`
        yield* checkpoint
        yield* created(2)
        const before = statSync(filename).size
        yield* sql`DROP TABLE theirs`
        yield* sql`VACUUM`
        yield* checkpoint
        expect(statSync(filename).size).toBeLessThan(before)
        for (const n of [3, 4]) yield* created(n)
        expect((yield* record(id(4))).status).toBe("running")
      })
    )
  )

  /** What happens to the file, and the error that the idle store reports. */
  const noticed: Record<string, readonly [takeAway: (filename: string) => void, says: string]> = {
    deleted: [(filename) => rmSync(filename), "test.db was deleted while it was open"],
    replaced: [takenAway["replaced by a copy of itself"] ?? rmSync, "test.db was replaced while it was open"],
    truncated: [(filename) => truncateSync(filename, 4_096), "test.db was truncated while it was open"],
    "left without its WAL": [(filename) => rmSync(`${filename}-wal`), "test.db-wal was deleted while it was open"],
    "left with an empty WAL": [
      (filename) => truncateSync(`${filename}-wal`, 0),
      "test.db-wal was truncated while it was open"
    ]
  }
  for (const [what, [takeAway, says]] of Object.entries(noticed)) {
    it.scoped(`detects within five seconds that an idle database was ${what}, and refuses writes`, () =>
      Effect.gen(function* () {
        const { now } = yield* RealClock
        const noticed = yield* Effect.makeLatch()
        let times = 0
        const logger = Logger.make(({ message }) => {
          if (!String(message).includes(says)) return
          times += 1
          noticed.unsafeOpen()
        })
        yield* withStore((filename) =>
          Effect.gen(function* () {
            const { create } = yield* RunStore.RunStore
            if (what !== "left with an empty WAL") yield* checkpoint
            yield* (yield* RealClock).sleep(2_100)
            takeAway(filename)
            const begun = yield* now
            yield* noticed.await
            expect((yield* now) - begun).toBeLessThanOrEqual(5_000)
            yield* (yield* RealClock).sleep(10_000)
            expect(times).toBe(1)
            expect((yield* Effect.flip(create(newRun(2)))).message).toContain(says)
          })
        ).pipe(Effect.provide(Logger.replace(Logger.defaultLogger, logger)))
      }).pipe(Effect.provide(HurriedClock.layer))
    )
  }

  it.scoped("keeps watching an idle database after it could not be inspected for a while", () =>
    Effect.gen(function* () {
      const { sleep } = yield* RealClock
      const noticed = yield* Effect.makeLatch()
      const logger = Logger.make(({ message }) => {
        if (String(message).includes("test.db was deleted while it was open")) noticed.unsafeOpen()
      })
      yield* withStore((filename) =>
        Effect.gen(function* () {
          const { create } = yield* RunStore.RunStore
          renameSync(filename, `${filename}.old`)
          symlinkSync(filename, filename)
          yield* sleep(3_000)
          expect((yield* Effect.flip(create(newRun(2)))).message).toContain("ELOOP")
          rmSync(filename)
          renameSync(`${filename}.old`, filename)
          yield* sleep(3_000)
          rmSync(filename)
          yield* noticed.await
        })
      ).pipe(Effect.provide(Logger.replace(Logger.defaultLogger, logger)))
    }).pipe(Effect.provide(HurriedClock.layer))
  )

  /** A guard, beside which another connection writes right after the frames were counted for its first state. */
  const raced = (filename: string) =>
    Effect.gen(function* () {
      const session = yield* openSession
      const other = yield* Effect.acquireRelease(
        Effect.sync(() => new BetterSqlite3(filename)),
        (other) => Effect.sync(() => other.close())
      )
      let isComplete = false
      const racing = (connection: Connection): Connection => ({
        ...connection,
        executeUnprepared: (statement, ...rest) =>
          Effect.tap(connection.executeUnprepared(statement, ...rest), () => {
            if (isComplete && statement.includes("NOOP")) {
              isComplete = false
              other.exec("UPDATE charlotte_generation SET base = generation, generation = lower(hex(randomblob(16)))")
            }
            if (statement.includes("PASSIVE")) isComplete = true
          })
      })
      const guard = yield* DatabaseFileGuard.guard(
        { ...session, reserve: (use) => session.reserve((connection) => use(racing(connection))) },
        filename,
        { isWritable: true }
      )
      return { guard, other, session }
    })

  it.scoped("records no generation as the base of its WAL that another process has written beside its inspection", () =>
    withStore((filename) =>
      Effect.gen(function* () {
        const { guard, other, session } = yield* raced(filename)
        yield* session.transaction(session.join(guard.begin))
        const row = other.prepare("SELECT base FROM charlotte_generation").get()
        expect(yield* isMissingInFile(filename, String(Object(row).base))).toBe(false)
      }).pipe(Effect.scoped)
    )
  )

  it.scoped("takes no checkpoint for another file if another process has restarted the WAL beside its inspection", () =>
    withStore((filename) =>
      Effect.gen(function* () {
        const { guard, other, session } = yield* raced(filename)
        other.pragma("wal_checkpoint(PASSIVE)")
        yield* session.reserve(guard.check)
      }).pipe(Effect.scoped)
    )
  )

  it.scoped(
    "takes no checkpoint for another file if the WAL that was appended to before it is restarted after it",
    () =>
      withStore((filename) =>
        Effect.gen(function* () {
          const session = yield* openSession
          const connect = Effect.acquireRelease(
            Effect.sync(() => new BetterSqlite3(filename)),
            (connection) => Effect.sync(() => connection.close())
          )
          const [reader, writer] = [yield* connect, yield* connect]
          const write = () =>
            writer.exec("UPDATE charlotte_generation SET base = generation, generation = lower(hex(randomblob(16)))")
          // It reads from the WAL, which is appended to meanwhile instead of being restarted.
          reader.exec("BEGIN; SELECT count(*) FROM charlotte_runs")
          const guard = yield* DatabaseFileGuard.guard(session, filename, { isWritable: true })
          writer.exec("UPDATE charlotte_runs SET status = status")
          reader.exec("COMMIT")
          writer.pragma("wal_checkpoint(PASSIVE)")
          write()
          yield* session.reserve(guard.check)
        }).pipe(Effect.scoped)
      )
  )

  it.effect("works in memory, without a file", () => created(1).pipe(Effect.provide(layer(":memory:"))))
})
