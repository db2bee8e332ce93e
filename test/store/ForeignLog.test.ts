/**
 * The WAL of a crash beside a database that was then replaced by a backup.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, it } from "@effect/vitest"
import { Database, RunStore } from "charlotte"
import { Effect, Layer } from "effect"
import { copyFileSync, existsSync, readFileSync, renameSync } from "node:fs"
import * as rawQuery from "../../src/store/sql/rawQuery.js"
import * as Generation from "../../src/store/sqlite/Generation.js"
import * as TemporaryDirectory from "../support/TemporaryDirectory.js"
import { created } from "./runs.js"

const layer = (filename: string) => RunStore.layer.pipe(Layer.provideMerge(Database.layer({ filename })))

const checkpoint = Effect.flatMap(SqlClient.SqlClient, (sql) => sql.unsafe("PRAGMA wal_checkpoint(TRUNCATE)"))

/** What a crash at this moment leaves: copies of the database and its WAL. */
const crash = (filename: string) =>
  Effect.map(TemporaryDirectory.file("jobs.db"), (left) => {
    for (const end of ["", "-wal"]) copyFileSync(`${filename}${end}`, `${left}${end}`)
    return left
  })

const backupOf = (filename: string) =>
  Effect.map(TemporaryDirectory.file("backup.db"), (backup) => {
    copyFileSync(filename, backup)
    return backup
  })

const runs = (filename: string) =>
  Effect.flatMap(RunStore.RunStore, ({ list }) => Effect.map(list({ limit: 1_000 }), (all) => all.length)).pipe(
    Effect.provide(layer(filename))
  )

/** Two runs of the store with a job each, and a backup between them; then a crash with a third job in the WAL. */
const life = Effect.gen(function* () {
  const filename = yield* TemporaryDirectory.file("jobs.db")
  yield* created(1).pipe(Effect.provide(layer(filename)))
  const backup = yield* backupOf(filename)
  yield* created(2).pipe(Effect.provide(layer(filename)))
  const left = yield* Effect.zipRight(created(3), crash(filename)).pipe(Effect.provide(layer(filename)))
  return { backup, left }
})

/**
 * A database that is opened twice, with some jobs more each time: backups of it, one of them compacted, and the logs of crashes,
 * with those that belong to each backup.
 */
const history = (jobs: number, size: number) =>
  Effect.gen(function* () {
    const filename = yield* TemporaryDirectory.file("jobs.db")
    const logs: Array<string> = []
    const backups: Array<{ readonly filename: string; readonly jobs: number; readonly logs: Array<string> }> = []
    const config = { text: "x".repeat(size) }
    for (const time of [1, 2]) {
      yield* Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        for (let n = 1; n <= jobs; n++) yield* created((time - 1) * jobs + n, { config })
        const compacted = yield* TemporaryDirectory.file("backup.db")
        yield* sql.unsafe(`VACUUM INTO '${compacted}'`)
        const log = `${yield* crash(filename)}-wal`
        logs.push(log)
        backups.at(-1)?.logs.push(log)
        backups.push({ filename: compacted, jobs: time * jobs, logs: [] })
      }).pipe(Effect.provide(layer(filename)))
      const closed = yield* backupOf(filename)
      // What the last log adds is in the file already.
      backups.push({ filename: closed, jobs: time * jobs, logs: logs.slice(-1) })
    }
    return { backups, logs }
  })

describe("the WAL of a database in use", () => {
  it.scopedLive("belongs to it, although other processes record new generations while that is checked", () =>
    Effect.gen(function* () {
      const filename = yield* TemporaryDirectory.file("jobs.db")
      yield* Effect.gen(function* () {
        yield* created(1)
        const execute = yield* rawQuery.of(yield* SqlClient.SqlClient)
        let reads = 0
        /** The first bases are no longer in the file when that is searched. */
        const behind: rawQuery.RawQuery = (statement) => {
          if (!statement.startsWith("SELECT base")) return execute(statement)
          reads += 1
          return execute(reads > 2 ? statement : `SELECT '${`${reads}`.repeat(32)}' AS base`)
        }
        yield* Generation.refuseForeignLog(behind, filename)
        expect(reads).toBe(3)
      }).pipe(Effect.provide(layer(filename)))
    })
  )
})

describe("the WAL of a crash", () => {
  it.scoped("is applied to its own database", () =>
    Effect.gen(function* () {
      const { left } = yield* life
      expect(yield* runs(left)).toBe(3)
    })
  )

  for (const [how, put] of [
    ["copied over", copyFileSync],
    ["renamed to", renameSync]
  ] as const) {
    it.scoped(
      `is never applied to a backup that was ${how} its database, and the error names the files to move away`,
      () =>
        Effect.gen(function* () {
          const { backup, left } = yield* life
          const expected = readFileSync(backup)
          const log = readFileSync(`${left}-wal`)
          put(backup, left)
          for (const open of [Database.layer({ filename: left }), Database.layerUntouched({ filename: left })]) {
            const error = yield* Effect.flip(Layer.build(open))
            expect(error).toMatchObject({ _tag: "StoreError", reason: "replaced" })
            expect(error.message).toContain(`${left}-wal does not belong to ${left}`)
            expect(error.message).toContain(`move away ${left}-wal and ${left}-shm`)
          }
          expect(readFileSync(left).equals(expected)).toBe(true)
          expect(readFileSync(`${left}-wal`).equals(log)).toBe(true)
          for (const end of ["-wal", "-shm"])
            if (existsSync(`${left}${end}`)) renameSync(`${left}${end}`, `${left}.old${end}`)
          expect(yield* runs(left)).toBe(1)
        })
    )
  }

  it.scopedLive(
    "is never applied to another database, however it reads there, and the error names the files to move away",
    () =>
      Effect.gen(function* () {
        const [small, large] = [yield* history(3, 0), yield* history(40, 3_000)]
        const outcomes: Array<string> = []
        for (const backup of [...small.backups, ...large.backups]) {
          for (const log of [...small.logs, ...large.logs]) {
            const filename = yield* TemporaryDirectory.file("jobs.db")
            copyFileSync(backup.filename, filename)
            copyFileSync(log, `${filename}-wal`)
            if (backup.logs.includes(log)) continue
            const opening = Layer.build(Database.layer({ filename }))
            const reading = Layer.build(Database.layerUntouched({ filename }))
            for (const open of [reading, opening]) {
              const error = yield* Effect.flip(Effect.scoped(open))
              expect(error.message).toContain(`${filename}-wal`)
              expect(error.message).toContain(`move away ${filename}-wal and ${filename}-shm`)
              outcomes.push(error.reason)
            }
            for (const end of ["-wal", "-shm"])
              if (existsSync(`${filename}${end}`)) renameSync(`${filename}${end}`, `${filename}.old${end}`)
            expect(yield* runs(filename)).toBe(backup.jobs)
          }
        }
        expect(new Set(outcomes)).toEqual(new Set(["replaced", "corrupt"]))
      })
  )

  it.scoped("is applied after checkpoints, at any moment of the crash", () =>
    Effect.gen(function* () {
      const filename = yield* TemporaryDirectory.file("jobs.db")
      yield* Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        for (let n = 1; n <= 24; n++) {
          yield* created(n)
          if (n % 4 === 0) yield* sql.unsafe(`PRAGMA wal_checkpoint(${["PASSIVE", "RESTART", "TRUNCATE"][n % 3]})`)
          if (n % 10 === 0) yield* sql`VACUUM`
          expect(yield* runs(yield* crash(filename))).toBe(n)
        }
      }).pipe(Effect.provide(layer(filename)))
    })
  )

  it.scoped("is applied after a crash right after the first start", () =>
    Effect.gen(function* () {
      const filename = yield* TemporaryDirectory.file("jobs.db")
      yield* Effect.gen(function* () {
        expect(yield* runs(yield* crash(filename))).toBe(0)
        yield* created(1)
        expect(yield* runs(yield* crash(filename))).toBe(1)
        yield* checkpoint
        yield* created(2)
        expect(yield* runs(yield* crash(filename))).toBe(2)
      }).pipe(Effect.provide(layer(filename)))
    })
  )
})
