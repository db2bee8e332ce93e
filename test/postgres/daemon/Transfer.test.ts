/**
 * A home on SQLite that goes on in a PostgreSQL database.
 */
import * as NodeContext from "@effect/platform-node/NodeContext"
import { describe, expect, it } from "@effect/vitest"
import { Database, RunStore } from "charlotte"
import { ConfigProvider, Effect, Either, Layer } from "effect"
import { gunzipSync, gzipSync } from "node:zlib"
import { readFileSync, statSync, writeFileSync } from "node:fs"
import { charlotte } from "../../../src/cli/parser/commands.js"
import * as Configuration from "../../../src/daemon/config/Configuration.js"
import * as DatabaseChoice from "../../../src/daemon/config/DatabaseChoice.js"
import * as ExportNote from "../../../src/daemon/home/ExportNote.js"
import * as Home from "../../../src/daemon/home/Home.js"
import * as HomeDatabase from "../../../src/daemon/home/HomeDatabase.js"
import * as HomeLock from "../../../src/daemon/home/HomeLock.js"
import * as Capture from "../../cli/Capture.js"
import { created, id, kind } from "../../store/runs.js"
import * as TemporaryDirectory from "../../support/TemporaryDirectory.js"
import * as TestDatabase from "../database.js"

/** A home with three jobs, and the command line there. */
const world = Effect.gen(function* () {
  const home = yield* TemporaryDirectory.make
  yield* Effect.forEach([1, 2, 3], (n) => created(n, { isQueued: true })).pipe(
    Effect.provide(RunStore.layer.pipe(Layer.provideMerge(Database.layer({ filename: `${home}/charlotte.db` }))))
  )
  const run = (...argv: ReadonlyArray<string>) =>
    Capture.run(charlotte, argv).pipe(
      Effect.withConfigProvider(ConfigProvider.fromMap(new Map([["CHARLOTTE_HOME", home]])))
    )
  return { home, run, file: yield* TemporaryDirectory.file("records.gz"), url: yield* TestDatabase.make }
})

describe("charlotte export-home and import-home", () => {
  it.scopedLive("take the records of a home to a database, which its commands read then", () =>
    Effect.gen(function* () {
      const { file, run, url } = yield* world
      expect(yield* run("export-home", file)).toMatchObject({ code: 0, err: "" })
      expect(statSync(file).mode & 0o777).toBe(0o600)
      const imported = yield* run("import-home", file, "--database", url)
      expect(imported).toMatchObject({ code: 0, err: "" })
      expect(imported.out).toMatch(/^✓ imported 3 jobs and 3 events\n {2}go on there with: charlotte daemon start /)

      const there = (...argv: ReadonlyArray<string>) =>
        Effect.flatMap(TemporaryDirectory.make, (home) =>
          Capture.run(charlotte, argv).pipe(
            Effect.withConfigProvider(
              ConfigProvider.fromMap(new Map(Object.entries({ CHARLOTTE_HOME: home, CHARLOTTE_DATABASE: url })))
            )
          )
        )
      const listed = yield* there("jobs", "--all", "--json")
      for (const n of [1, 2, 3]) expect(listed.out).toContain(id(n))
      expect((yield* there("doctor", "--audit")).out).toContain("3 jobs and 3 events are consistent")

      expect(yield* run("import-home", file, "--database", url, "--json")).toMatchObject({ code: 2, out: "" })
    })
  )

  it.scopedLive("leave a home in which no job begins, until the user says so", () =>
    Effect.gen(function* () {
      const { file, home, run } = yield* world
      expect(yield* run("export-home", file)).toMatchObject({ code: 0 })
      const layer = Layer.provideMerge(Home.layerAt(home), NodeContext.layer)
      const refused = {
        code: 2,
        out: "",
        err: expect.stringMatching(/were exported at 20.*; --again to continue here/)
      }
      expect(yield* run("daemon", "start", "--foreground", "--log-level", "none")).toMatchObject(refused)
      const queued = Database.layer({ filename: `${home}/charlotte.db` })
      const pending = Effect.flatMap(RunStore.RunStore, ({ pending }) => pending(kind))
      expect(yield* Effect.provide(pending, Layer.provide(RunStore.layer, queued))).toBe(3)
      // With another database the home goes on as before.
      const check = Effect.provide(ExportNote.refuse(false), Layer.provideMerge(Configuration.layer, layer))
      expect(yield* Effect.flip(check)).toMatchObject({ name: "HomeExported" })
      const other = DatabaseChoice.parse("postgres://db.internal/jobs").pipe(Either.getRight)
      yield* Effect.provideService(check, HomeDatabase.Flag, other)
      yield* Effect.provide(ExportNote.refuse(true), Layer.provideMerge(Configuration.layer, layer))
      yield* check
    })
  )

  it.scopedLive("refuse a home that is in use, a file that exists, one that is damaged, and SQLite", () =>
    Effect.gen(function* () {
      const { file, home, run, url } = yield* world
      const busy = Effect.zipRight(HomeLock.make({ what: "daemon", version: "1.2.3" }), run("export-home", file))
      const layer = Layer.provideMerge(Home.layerAt(home), NodeContext.layer)
      expect(yield* Effect.scoped(Effect.provide(busy, layer))).toMatchObject({ code: 75 })

      expect(yield* run("export-home", file)).toMatchObject({ code: 0 })
      const written = readFileSync(file)
      const exists = yield* run("export-home", file)
      expect([exists.code, exists.err]).toEqual([
        2,
        `charlotte: cannot write to ${file}: a file of that name exists; name another file, or move that one away\n`
      ])
      expect(readFileSync(file)).toEqual(written)

      const sqlite = yield* run("import-home", file)
      expect([sqlite.code, sqlite.err]).toEqual([2, expect.stringContaining("--database postgres://")])
      for (const bytes of [
        written.subarray(0, written.length / 2),
        gzipSync(gunzipSync(written).subarray(0, 200)),
        Buffer.from("no gzip")
      ]) {
        writeFileSync(file, bytes)
        expect((yield* run("import-home", file, "--database", url)).code).toBe(2)
      }
      writeFileSync(file, written)
      expect((yield* run("import-home", file, "--database", url)).code).toBe(0)
    })
  )
})
