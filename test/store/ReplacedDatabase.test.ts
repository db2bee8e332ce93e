/**
 * A backup that replaces the database of a running store: copied into the same file, or renamed over it.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, it } from "@effect/vitest"
import { Database, RunStore } from "charlotte"
import { Context, Effect, Either, Layer, Logger, LogLevel } from "effect"
import { execFileSync } from "node:child_process"
import { copyFileSync, existsSync, readFileSync, renameSync, statSync, truncateSync } from "node:fs"
import { RealClock } from "../../src/internal/RealClock.js"
import * as HurriedClock from "../support/hurriedClock.js"
import * as TemporaryDirectory from "../support/TemporaryDirectory.js"
import { created, newRun } from "./runs.js"

const layer = (filename: string) => RunStore.layer.pipe(Layer.provideMerge(Database.layer({ filename })))

const checkpoint = Effect.flatMap(SqlClient.SqlClient, (sql) => sql.unsafe("PRAGMA wal_checkpoint(TRUNCATE)"))

const filled = (rows: number) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    Effect.zipRight(sql`CREATE TABLE theirs (x)`, sql`INSERT INTO theirs VALUES (zeroblob(${rows * 4_096}))`)
  )

/** A copy of the files of a database in use, with the content of its WAL or without. */
const backupOf = (filename: string) =>
  Effect.map(TemporaryDirectory.file("backup.db"), (backup) => {
    for (const end of ["", "-wal"]) copyFileSync(`${filename}${end}`, `${backup}${end}`)
    return backup
  })

const backups: Record<string, (filename: string) => ReturnType<typeof backupOf>> = {
  "a smaller backup": (filename) =>
    Effect.gen(function* () {
      yield* checkpoint
      const backup = yield* backupOf(filename)
      yield* Effect.orDie(filled(100))
      yield* checkpoint
      return backup
    }).pipe(Effect.provide(layer(filename)), Effect.orDie),
  "a backup of the same size": (filename) =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* filled(10)
      yield* checkpoint
      const backup = yield* backupOf(filename)
      yield* sql`UPDATE theirs SET x = randomblob(${10 * 4_096})`
      yield* checkpoint
      expect(statSync(filename).size).toBe(statSync(backup).size)
      return backup
    }).pipe(Effect.provide(layer(filename)), Effect.orDie),
  "a larger backup": () =>
    Effect.gen(function* () {
      const other = yield* TemporaryDirectory.file("other.db")
      return yield* Effect.gen(function* () {
        yield* created(8)
        yield* filled(500)
        yield* checkpoint
        yield* created(9)
        return yield* backupOf(other)
      }).pipe(Effect.provide(layer(other)), Effect.orDie)
    })
}

const ways: Record<string, (backup: string, filename: string) => void> = {
  "copied over it": (backup, filename) => copyFileSync(backup, filename),
  "copied over it with its WAL": (backup, filename) => {
    for (const end of ["", "-wal"]) copyFileSync(`${backup}${end}`, `${filename}${end}`)
  },
  "renamed over it": (backup, filename) => renameSync(backup, filename)
}

const namesFiles = (filename: string) =>
  new RegExp(`${filename}(-wal)? was (replaced|truncated) while it was open.*(${filename}-wal|restart)`)

describe("store", () => {
  for (const [what, backupFor] of Object.entries(backups)) {
    for (const [how, put] of Object.entries(ways)) {
      it.scopedLive(`acknowledges nothing after ${what} was ${how}, and leaves the backup unchanged`, () =>
        Effect.gen(function* () {
          const filename = yield* TemporaryDirectory.file("jobs.db")
          yield* created(1).pipe(Effect.provide(layer(filename)))
          const backup = yield* backupFor(filename)
          const expected = readFileSync(backup)
          const answers = yield* Effect.gen(function* () {
            const store = yield* RunStore.RunStore
            for (const n of [2, 3, 4]) yield* store.create(newRun(n))
            put(backup, filename)
            const answers: Array<Either.Either<unknown, unknown>> = []
            for (let n = 10; n < 15; n++) answers.push(yield* Effect.either(store.create(newRun(n))))
            return answers
          }).pipe(Effect.provide(layer(filename)), Logger.withMinimumLogLevel(LogLevel.None))
          expect(answers.filter(Either.isRight)).toEqual([])
          for (const answer of answers) {
            expect(Either.isLeft(answer) && String(answer.left)).toMatch(namesFiles(filename))
          }
          expect(readFileSync(filename).equals(expected)).toBe(true)
          if (how.endsWith("log") && existsSync(`${backup}-wal`))
            expect(readFileSync(`${filename}-wal`).equals(readFileSync(`${backup}-wal`))).toBe(true)
        }).pipe(Effect.provide(HurriedClock.layer))
      )
    }
  }

  it.scopedLive("reports a database that was overwritten while idle within five seconds", () =>
    Effect.gen(function* () {
      const filename = yield* TemporaryDirectory.file("jobs.db")
      yield* created(1).pipe(Effect.provide(layer(filename)))
      const backup = yield* Effect.flatMap(TemporaryDirectory.file("backup.db"), (backup) =>
        Effect.sync(() => (copyFileSync(filename, backup), backup))
      )
      const { now, sleep } = yield* RealClock
      const noticed = yield* Effect.makeLatch()
      const logger = Logger.make(({ message }) => {
        if (String(message).includes("jobs.db was replaced while it was open")) noticed.unsafeOpen()
      })
      yield* Effect.gen(function* () {
        yield* created(2)
        yield* sleep(1_500)
        copyFileSync(backup, filename)
        const begun = yield* now
        yield* noticed.await
        expect((yield* now) - begun).toBeLessThanOrEqual(5_000)
      }).pipe(Effect.provide(layer(filename).pipe(Layer.provideMerge(Logger.replace(Logger.defaultLogger, logger)))))
      expect(readFileSync(filename).equals(readFileSync(backup))).toBe(true)
    }).pipe(Effect.provide(HurriedClock.layer))
  )

  it.scopedLive("keeps working while another connection writes and checkpoints", () =>
    Effect.gen(function* () {
      const filename = yield* TemporaryDirectory.file("jobs.db")
      yield* Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        const other = yield* Effect.map(Layer.build(Layer.fresh(Database.layer({ filename }))), (context) => context)
        const theirs = Effect.provide(SqlClient.SqlClient, other)
        const sql = yield* theirs
        yield* sql`CREATE TABLE theirs (x)`
        for (let n = 1; n <= 40; n++) {
          yield* sql`INSERT INTO theirs VALUES (zeroblob(20000))`
          if (n % 3 === 0) yield* store.create(newRun(n))
          if (n % 4 === 0) yield* sql.unsafe(`PRAGMA wal_checkpoint(${["PASSIVE", "RESTART", "TRUNCATE"][n % 3]})`)
        }
        expect((yield* store.list()).length).toBe(13)
      }).pipe(Effect.provide(layer(filename)))
    }).pipe(Effect.provide(HurriedClock.layer))
  )

  it.scopedLive("keeps working while a second store writes and checkpoints, as does that store", () =>
    Effect.gen(function* () {
      const filename = yield* TemporaryDirectory.file("jobs.db")
      const stores = yield* Effect.forEach([1, 2, 3], () =>
        Effect.map(Layer.build(Layer.fresh(layer(filename))), (store) => Context.get(store, RunStore.RunStore))
      )
      const config = { text: "x".repeat(50_000) }
      for (let n = 1; n <= 60; n++)
        yield* Effect.forEach(stores, ({ create }, i) => create(newRun(3 * n + i, { config })), {
          concurrency: n % 2 === 0 ? "unbounded" : 1
        })
      for (const { list } of stores) expect((yield* list({ limit: 1_000 })).length).toBe(180)
    })
  )

  it.scopedLive("goes on after another process was killed in the middle of a checkpoint", () =>
    Effect.gen(function* () {
      const filename = yield* TemporaryDirectory.file("jobs.db")
      yield* Effect.gen(function* () {
        yield* created(1)
        // Another process, since closing the files in this one would release its locks on them. It leaves what a killed checkpoint leaves:
        // a database file that has changed, and the number of frames that were to be copied, in the index of the WAL.
        execFileSync(process.execPath, [
          "-e",
          `const { openSync, utimesSync, writeSync } = require("node:fs")
           writeSync(openSync(process.argv[1] + "-shm", "r+"), Uint32Array.of(1_000), 0, 4, 128)
           utimesSync(process.argv[1], 1, 1)`,
          "--",
          filename
        ])
        yield* created(2)
        yield* checkpoint
        yield* created(3)
      }).pipe(Effect.provide(layer(filename)))
    })
  )

  it.scopedLive("checkpoints a growing WAL", () =>
    Effect.gen(function* () {
      const filename = yield* TemporaryDirectory.file("jobs.db")
      yield* Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        const before = statSync(filename).size
        for (let n = 1; n <= 40; n++) yield* store.create(newRun(n, { config: { text: "x".repeat(200_000) } }))
        expect(statSync(filename).size).toBeGreaterThan(before + 2_000_000)
        expect(statSync(`${filename}-wal`).size).toBeLessThan(8_000_000)
      }).pipe(Effect.provide(layer(filename)))
    })
  )

  it.scopedLive("leaves a truncated database unchanged when it closes", () =>
    Effect.gen(function* () {
      const filename = yield* TemporaryDirectory.file("jobs.db")
      yield* Effect.gen(function* () {
        yield* created(1)
        yield* checkpoint
        yield* created(2)
        truncateSync(filename, 8_192)
      }).pipe(Effect.provide(layer(filename)))
      expect(statSync(filename).size).toBe(8_192)
    })
  )
})
