/** Files that are too large to be looked through before they are used. */
import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, it } from "@effect/vitest"
import { Database, RunStore } from "charlotte"
import { Effect, Exit, Layer, Logger, Scope } from "effect"
import { readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs"
import { dirname } from "node:path"
import * as TemporaryDirectory from "../../support/TemporaryDirectory.js"
import { created, id, newRun } from "../runs.js"

const store = (filename: string) => RunStore.layer.pipe(Layer.provideMerge(Database.layer({ filename })))

/** A store with one run, in a file of some 18 MB. */
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

/** A page in the midst of the file is not as it was written. */
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

const children = () => readFileSync(`/proc/self/task/${process.pid}/children`, "utf8").split(" ").filter(Boolean)

/** Returns when something is logged in which this is found. */
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

/** Returns when so many other processes look through the file. */
const lookers = (count: number) =>
  Effect.repeat(
    Effect.delay(
      Effect.sync(() => children().length),
      1
    ),
    { until: (found) => found === count }
  )

describe("a large file", () => {
  it.scopedLive("is used at once, and looked through meanwhile", () =>
    Effect.gen(function* () {
      const filename = yield* large
      yield* Effect.gen(function* () {
        yield* lookers(1)
        yield* created(2)
        yield* lookers(0)
        yield* created(3)
        expect(yield* list).toEqual([id(3), id(2), id(1)])
      }).pipe(Effect.provide(store(filename)))
    })
  )

  it.scopedLive("that is damaged takes no more writes as soon as that is found, and can be read", () =>
    Effect.gen(function* () {
      const filename = yield* damaged
      const found = yield* logged(`${filename} is damaged: `)
      yield* Effect.gen(function* () {
        const { create } = yield* RunStore.RunStore
        yield* found.await
        for (const n of [2, 3]) {
          const error = yield* Effect.flip(create(newRun(n)))
          expect(error).toMatchObject({ _tag: "StoreError", reason: "corrupt", operation: "open the database" })
          expect(error.message).toContain("Restore it from a backup, or move it away to begin anew")
        }
        expect(yield* list).toEqual([id(1)])
      }).pipe(Effect.provide(Layer.provideMerge(store(filename), found.layer)))
    })
  )

  it.scopedLive("that was cut short is refused at once, and left as it was found", () =>
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

  it.scopedLive("that is only looked at is not looked through, unless that is asked for", () =>
    Effect.gen(function* () {
      const filename = yield* damaged
      const bytes = readFileSync(filename)
      const looked = (thorough: boolean) =>
        Effect.zipLeft(
          list,
          Effect.sync(() => expect(children()).toEqual([]))
        ).pipe(Effect.provide(Layer.provide(RunStore.layerUntouched, Database.layerUntouched({ filename, thorough }))))
      expect(yield* looked(false)).toEqual([id(1)])
      expect(yield* Effect.flip(looked(true))).toMatchObject({ _tag: "StoreError", reason: "corrupt" })
      expect(readFileSync(filename).equals(bytes)).toBe(true)
    })
  )

  it.scopedLive("that is closed before it was looked through leaves no process behind", () =>
    Effect.gen(function* () {
      const filename = yield* large
      const scope = yield* Scope.make()
      yield* Layer.buildWithScope(store(filename), scope)
      yield* lookers(1)
      yield* Scope.close(scope, Exit.void)
      yield* lookers(0)
    })
  )
})
