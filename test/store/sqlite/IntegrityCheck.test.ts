/**
 * Files that are too large for an integrity check before use.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, it } from "@effect/vitest"
import { Database, RunStore } from "charlotte"
import { Effect, Exit, Layer, Logger, Scope } from "effect"
import { readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs"
import { dirname } from "node:path"
import * as TemporaryDirectory from "../../support/TemporaryDirectory.js"
import { created, id, newRun } from "../runs.js"

const store = (filename: string) => RunStore.layer.pipe(Layer.provideMerge(Database.layer({ filename })))

/** A store with one run, in a file of about 18 MB. */
const large = Effect.gen(function* () {
  const filename = yield* TemporaryDirectory.file("test.db")
  yield* Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    yield* created(1)
    yield* sql`CREATE TABLE theirs (word TEXT)`
    yield* sql`
      INSERT INTO theirs WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 20000)
      SELECT hex(randomblob(450)) FROM n`
  }).pipe(Effect.provide(store(filename)))
  return filename
})

/** Damages a page in the middle of the file. */
const damaged = Effect.map(large, (filename) => {
  const bytes = readFileSync(filename)
  const page = Math.floor(bytes.length / 8_192) * 4_096
  writeFileSync(filename, bytes.fill(0x55, page, page + 100))
  return filename
})

const list = Effect.map(
  Effect.flatMap(RunStore.RunStore, (store) => store.list()),
  (runs) => runs.map(({ id }) => id)
)

const commandLine = (pid: string) => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8")
  } catch {
    return "" // It has exited meanwhile.
  }
}

/** The child processes that check this file. This process runs other tests, too, which may have children of their own. */
const checks = (filename: string) =>
  readFileSync(`/proc/self/task/${process.pid}/children`, "utf8")
    .split(" ")
    .filter((pid) => commandLine(pid).includes(filename))

/** Returns once a message with this text is logged. */
const logged = (what: string) =>
  Effect.map(Effect.makeLatch(), (latch) => ({
    await: latch.await,
    layer: Logger.replace(
      Logger.defaultLogger,
      Logger.make(({ message }) => {
        if (String(message).includes(what)) latch.unsafeOpen()
      })
    )
  }))

/** Returns once this many processes check the file. */
const checked = (filename: string, { by }: { readonly by: number }) =>
  Effect.repeat(
    Effect.delay(
      Effect.sync(() => checks(filename).length),
      1
    ),
    { until: (found) => found === by }
  )

describe("the integrity check of a large file", () => {
  it.scopedLive("runs in the background while the database is in use", () =>
    Effect.gen(function* () {
      const filename = yield* large
      yield* Effect.gen(function* () {
        yield* checked(filename, { by: 1 })
        yield* created(2)
        yield* checked(filename, { by: 0 })
        yield* created(3)
        expect(yield* list).toEqual([id(3), id(2), id(1)])
      }).pipe(Effect.provide(store(filename)))
    })
  )

  it.scopedLive("blocks writes once it finds damage, and still allows reads", () =>
    Effect.gen(function* () {
      const filename = yield* damaged
      const found = yield* logged(`${filename} is damaged: `)
      yield* Effect.gen(function* () {
        const { create } = yield* RunStore.RunStore
        yield* found.await
        for (const n of [2, 3]) {
          const error = yield* Effect.flip(create(newRun(n)))
          expect(error).toMatchObject({ _tag: "StoreError", reason: "corrupt", operation: "open the database" })
          expect(error.message).toContain("restore it from a backup, or move it away to start afresh")
        }
        expect(yield* list).toEqual([id(1)])
      }).pipe(Effect.provide(Layer.provideMerge(store(filename), found.layer)))
    })
  )

  it.scopedLive("refuses a truncated file at once, and leaves it unchanged", () =>
    Effect.gen(function* () {
      const filename = yield* large
      truncateSync(filename, statSync(filename).size - 4_096)
      const bytes = readFileSync(filename)
      const error = yield* Effect.flip(Effect.provide(Effect.void, store(filename)))
      expect(error).toMatchObject({ _tag: "StoreError", reason: "corrupt" })
      expect(readFileSync(filename).equals(bytes)).toBe(true)
      expect(readdirSync(dirname(filename))).toEqual(["test.db"])
    })
  )

  it.scopedLive("runs for Database.layerUntouched only with thorough", () =>
    Effect.gen(function* () {
      const filename = yield* damaged
      const bytes = readFileSync(filename)
      const readUntouched = (thorough: boolean) =>
        Effect.zipLeft(
          list,
          Effect.sync(() => expect(checks(filename)).toEqual([]))
        ).pipe(Effect.provide(Layer.provide(RunStore.layerUntouched, Database.layerUntouched({ filename, thorough }))))
      expect(yield* readUntouched(false)).toEqual([id(1)])
      expect(yield* Effect.flip(readUntouched(true))).toMatchObject({ _tag: "StoreError", reason: "corrupt" })
      expect(readFileSync(filename).equals(bytes)).toBe(true)
    })
  )

  it.scopedLive("leaves no process behind when the database closes first", () =>
    Effect.gen(function* () {
      const filename = yield* large
      const scope = yield* Scope.make()
      yield* Layer.buildWithScope(store(filename), scope)
      yield* checked(filename, { by: 1 })
      yield* Scope.close(scope, Exit.void)
      yield* checked(filename, { by: 0 })
    })
  )
})
