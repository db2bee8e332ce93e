import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, it } from "@effect/vitest"
import { Database, errors, RunStore } from "charlotte"
import { Effect, Layer } from "effect"
import { chmodSync, existsSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import * as TemporaryDirectory from "../support/TemporaryDirectory.js"
import { created, newRun } from "./runs.js"

const pragma = (name: string) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    Effect.map(sql.unsafe<Record<string, unknown>>(`PRAGMA ${name}`), ([row]) => row && Object.values(row)[0])
  )

const opened = (filename: string) => Effect.provide(Effect.void, Database.layer({ filename }))

const store = (filename: string) => RunStore.layer.pipe(Layer.provideMerge(Database.layer({ filename })))

/** A database file with runs. */
const filled = Effect.gen(function* () {
  const filename = yield* TemporaryDirectory.file("test.db")
  yield* Effect.gen(function* () {
    const { create } = yield* RunStore.RunStore
    const text = "x".repeat(500)
    const runs = Array.from({ length: 200 }, (_, n) => newRun(n, { config: { text } }))
    yield* Effect.forEach(runs, create, { concurrency: "unbounded" })
  }).pipe(Effect.provide(store(filename)))
  return filename
})

const refused = (reason: errors.StoreError["reason"]) => (error: unknown) => {
  expect(error).toBeInstanceOf(errors.StoreError)
  expect(error).toMatchObject({ operation: "open the database", reason })
}

describe("Database.layer", () => {
  it.scoped("opens a file in WAL mode with synchronous=FULL and foreign keys, before and after a write", () =>
    Effect.gen(function* () {
      const filename = yield* TemporaryDirectory.file("test.db")
      yield* Effect.gen(function* () {
        for (const _ of ["before", "after"]) {
          expect(yield* pragma("journal_mode")).toBe("wal")
          expect(yield* pragma("synchronous")).toBe(2)
          expect(yield* pragma("foreign_keys")).toBe(1)
          expect(yield* pragma("busy_timeout")).toBeLessThanOrEqual(50)
          yield* created(_ === "before" ? 1 : 2)
        }
      }).pipe(Effect.provide(store(filename)))
    })
  )

  it.scoped("opens a file with synchronous=NORMAL if configured", () =>
    Effect.gen(function* () {
      const filename = yield* TemporaryDirectory.file("test.db")
      yield* Effect.gen(function* () {
        yield* created(1)
        expect(yield* pragma("synchronous")).toBe(1)
      }).pipe(
        Effect.provide(RunStore.layer.pipe(Layer.provideMerge(Database.layer({ filename, synchronous: "NORMAL" }))))
      )
    })
  )

  it.effect("opens an in-memory database", () => created(1).pipe(Effect.provide(store(":memory:"))))

  it.scoped("leaves a single file when it closes, and reopens it unchanged", () =>
    Effect.gen(function* () {
      const filename = yield* filled
      expect(readdirSync(dirname(filename))).toEqual(["test.db"])
      const runs = Effect.flatMap(RunStore.RunStore, ({ list }) => list({ limit: 1_000 }))
      expect(yield* runs.pipe(Effect.provide(store(filename)))).toHaveLength(200)
    })
  )

  it.scoped("preserves the user_version of an application", () =>
    Effect.gen(function* () {
      const filename = yield* TemporaryDirectory.file("test.db")
      yield* Effect.flatMap(SqlClient.SqlClient, (sql) => sql`PRAGMA user_version = 42`).pipe(
        Effect.provide(Database.layer({ filename }))
      )
      expect(yield* pragma("user_version").pipe(Effect.provide(Database.layer({ filename })))).toBe(42)
    })
  )
})

describe("Database.layer refuses", () => {
  const damages: Record<string, (filename: string) => void> = {
    "a damaged page": (filename) => {
      const bytes = readFileSync(filename)
      writeFileSync(filename, bytes.fill(0x55, 3 * 4_096 + 8, 5 * 4_096))
    },
    "a truncated file": (filename) => truncateSync(filename, Math.floor(statSync(filename).size / 8_192) * 4_096),
    "a damaged header": (filename) => {
      const bytes = readFileSync(filename)
      writeFileSync(filename, bytes.fill(0x55, 20, 40))
    },
    "a file that is not a database": (filename) => writeFileSync(filename, "dear diary\n".repeat(1_000)),
    "a small file that is not a database": (filename) => writeFileSync(filename, "dear diary\n")
  }

  for (const [what, damage] of Object.entries(damages)) {
    it.scoped(`${what}, and leaves it unchanged`, () =>
      Effect.gen(function* () {
        const filename = yield* filled
        damage(filename)
        const bytes = readFileSync(filename)
        refused("corrupt")(yield* Effect.flip(opened(filename)))
        expect(readFileSync(filename).equals(bytes)).toBe(true)
        expect(readdirSync(dirname(filename))).toEqual(["test.db"])
      })
    )
  }

  it.scoped("a damaged file, with an error that says what to do", () =>
    Effect.gen(function* () {
      const filename = yield* filled
      damages["a damaged page"]?.(filename)
      const { message } = yield* Effect.flip(opened(filename))
      expect(message).toContain(`store: open the database failed (corrupt): ${filename} is damaged`)
      expect(message).toContain("restore it from a backup, or move it away to start afresh")
    })
  )

  it.scoped("a file in a missing directory, without creating the directory", () =>
    Effect.gen(function* () {
      const directory = yield* TemporaryDirectory.make
      const error = yield* Effect.flip(opened(join(directory, "missing", "test.db")))
      refused("other")(error)
      expect(error.message).toContain("directory does not exist")
      expect(existsSync(join(directory, "missing"))).toBe(false)
    })
  )

  it.scoped("a directory", () =>
    Effect.gen(function* () {
      refused("other")(yield* Effect.flip(opened(yield* TemporaryDirectory.make)))
    })
  )

  /** Root bypasses permissions, so these tests switch to the user `nobody`. */
  const asNobody = Effect.acquireRelease(
    Effect.sync(() => {
      const me = process.geteuid?.()
      if (me === 0) process.seteuid?.("nobody")
      return me
    }),
    (me) => Effect.sync(() => me === 0 && process.seteuid?.(0))
  )

  for (const [what, file, directory] of [
    ["a read-only file in a read-only directory", 0o444, 0o555],
    ["a read-only file in a writable directory", 0o444, 0o777],
    ["a writable file in a read-only directory", 0o666, 0o555]
  ] as const) {
    it.scoped(what, () =>
      Effect.gen(function* () {
        const filename = yield* filled
        const bytes = readFileSync(filename)
        chmodSync(filename, file)
        chmodSync(dirname(filename), directory)
        const error = yield* Effect.scoped(Effect.zipRight(asNobody, Effect.flip(opened(filename))))
        refused("readonly")(error)
        expect(readFileSync(filename).equals(bytes)).toBe(true)
      })
    )
  }
})
