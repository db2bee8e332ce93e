/**
 * Read-only stores: what they read, and that they change nothing.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, it } from "@effect/vitest"
import { Database, RunStore } from "charlotte"
import { Effect, Layer } from "effect"
import { execFileSync } from "node:child_process"
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { dirname } from "node:path"
import * as Migrations from "../../src/store/sqlite/Migrations.js"
import { migrations } from "../../src/store/sqlite/migrations/index.js"
import * as TemporaryDirectory from "../support/TemporaryDirectory.js"
import { created, id, newRun } from "./runs.js"

const store = (filename: string) => RunStore.layer.pipe(Layer.provideMerge(Database.layer({ filename })))

const untouched = (filename: string) =>
  RunStore.layerUntouched.pipe(Layer.provideMerge(Database.layerUntouched({ filename })))

const readUntouched = (filename: string) =>
  Effect.flatMap(RunStore.RunStore, ({ list }) => Effect.map(list(), (runs) => runs.map(({ id }) => id))).pipe(
    Effect.provide(untouched(filename))
  )

/** Names, contents and times of all files beside the database; of the WAL index (`-shm`) only whether it exists. */
const everything = (filename: string) =>
  readdirSync(dirname(filename))
    .sort()
    .map((name) => {
      const path = `${dirname(filename)}/${name}`
      return name.endsWith("-shm") ? [name] : [name, statSync(path).mtimeMs, readFileSync(path, "latin1")]
    })

const closed = Effect.gen(function* () {
  const filename = yield* TemporaryDirectory.file("test.db")
  yield* Effect.provide(created(1), store(filename))
  return filename
})

/** The files as a crash leaves them. Another process copies them: closing them here would release the locks on them. */
const crashed = Effect.gen(function* () {
  const directory = yield* TemporaryDirectory.make
  const filename = yield* TemporaryDirectory.file("test.db")
  yield* Effect.gen(function* () {
    yield* created(1)
    yield* Effect.sync(() => execFileSync("cp", ["-r", `${dirname(filename)}/.`, `${directory}/copy`]))
  }).pipe(Effect.provide(store(filename)))
  expect(readdirSync(`${directory}/copy`).sort()).toEqual(["test.db", "test.db-shm", "test.db-wal"])
  return `${directory}/copy/test.db`
})

describe("Database.layerUntouched", () => {
  it.scoped("reads a database without changing any file", () =>
    Effect.gen(function* () {
      const filename = yield* closed
      const before = everything(filename)
      expect(yield* readUntouched(filename)).toEqual([id(1)])
      expect(everything(filename)).toEqual(before)
    })
  )

  it.scoped("reads a database that another store is writing to, without disturbing it", () =>
    Effect.gen(function* () {
      const filename = yield* TemporaryDirectory.file("test.db")
      yield* Effect.gen(function* () {
        const seen: Array<ReadonlyArray<string>> = []
        for (const n of [1, 2, 3]) {
          yield* created(n)
          seen.push(yield* readUntouched(filename))
        }
        expect(seen).toEqual([[id(1)], [id(2), id(1)], [id(3), id(2), id(1)]])
      }).pipe(Effect.provide(store(filename)))
      expect(readdirSync(dirname(filename))).toEqual(["test.db"])
    })
  )

  it.scoped("reads the WAL of a crash without checkpointing it", () =>
    Effect.gen(function* () {
      const filename = yield* crashed
      const before = everything(filename)
      expect(yield* readUntouched(filename)).toEqual([id(1)])
      expect(everything(filename)).toEqual(before)
      expect(yield* Effect.provide(created(2), store(filename))).toBe(id(2))
    })
  )

  it.scoped("fails writes as readonly", () =>
    Effect.gen(function* () {
      for (const filename of [yield* closed, yield* crashed]) {
        const before = everything(filename)
        const write = Effect.flatMap(RunStore.RunStore, ({ create }) => create(newRun(2)))
        const error = yield* Effect.flip(Effect.provide(write, untouched(filename)))
        expect(error).toMatchObject({ _tag: "StoreError", reason: "readonly" })
        expect(everything(filename)).toEqual(before)
      }
    })
  )

  it.scoped("refuses a damaged or missing database", () =>
    Effect.gen(function* () {
      const filename = yield* closed
      writeFileSync(filename, readFileSync(filename).fill(0x55, 4_096 + 8, 3 * 4_096))
      expect(yield* Effect.flip(readUntouched(filename))).toMatchObject({ _tag: "StoreError", reason: "corrupt" })
      rmSync(filename)
      expect(yield* Effect.flip(readUntouched(filename))).toMatchObject({ _tag: "StoreError", reason: "other" })
      expect(readdirSync(dirname(filename))).toEqual([])
    })
  )

  it.scoped("refuses a database with a hot journal, and leaves it unchanged", () =>
    Effect.gen(function* () {
      const directory = yield* TemporaryDirectory.make
      const filename = `${directory}/copy/test.db`
      mkdirSync(dirname(filename))
      // Uncommitted pages are written to the file when the cache is full.
      yield* Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        yield* sql.unsafe("PRAGMA journal_mode = DELETE")
        yield* sql.unsafe("CREATE TABLE words (word TEXT)")
        yield* sql.unsafe("PRAGMA cache_size = 1")
        yield* sql.unsafe("BEGIN IMMEDIATE")
        yield* sql.unsafe(
          "INSERT INTO words WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 200) SELECT hex(zeroblob(500)) FROM n"
        )
        yield* Effect.sync(() =>
          execFileSync("cp", ["-r", `${directory}/test.db`, `${directory}/test.db-journal`, dirname(filename)])
        )
        yield* sql.unsafe("ROLLBACK")
      }).pipe(Effect.provide(Database.layer({ filename: `${directory}/test.db` })))
      const before = everything(filename)
      expect(yield* Effect.flip(readUntouched(filename))).toMatchObject({ _tag: "StoreError", reason: "readonly" })
      expect(everything(filename)).toEqual(before)
    })
  )

  it.scoped("reports the schema version without migrating", () =>
    Effect.gen(function* () {
      const latest = Object.keys(migrations).length
      const filename = yield* closed
      const version = Effect.provide(Migrations.version, Database.layerUntouched({ filename }))
      const set = (statement: string) =>
        Effect.flatMap(SqlClient.SqlClient, (sql) => sql.unsafe(statement)).pipe(
          Effect.provide(Database.layer({ filename }))
        )
      expect(yield* version).toMatchObject({ found: { value: latest }, latest })
      yield* set(`DELETE FROM charlotte_migrations WHERE migration_id = ${latest}`)
      const before = everything(filename)
      expect(yield* version).toMatchObject({ found: { value: latest - 1 }, latest })
      const error = yield* Effect.flip(readUntouched(filename))
      expect(error).toMatchObject({ _tag: "StoreError", reason: "version" })
      expect(error.message).toContain(
        `the database has schema version ${latest - 1}, and this Charlotte reads ${latest}`
      )
      expect(everything(filename)).toEqual(before)
      yield* set("DROP TABLE charlotte_migrations")
      expect(yield* version).toMatchObject({ found: { _tag: "None" }, latest })
    })
  )
})
