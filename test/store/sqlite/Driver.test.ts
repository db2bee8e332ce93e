import { describe, expect, it } from "@effect/vitest"
import { Database, RunStore } from "charlotte"
import { Effect, Layer } from "effect"
import { copyFileSync, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import { join } from "node:path"
import manifest from "../../../package.json" with { type: "json" }
import * as Driver from "../../../src/store/sqlite/Driver.js"
import * as TemporaryDirectory from "../../support/TemporaryDirectory.js"

const require = createRequire(import.meta.url)

const isAtLeast24 = Number.parseInt(process.versions.node) >= 24

const store = Effect.provide(
  Effect.as(RunStore.RunStore, "opened"),
  RunStore.layer.pipe(Layer.provide(Database.layer({ filename: ":memory:" })))
)

/** Loads the native module of a better-sqlite3 of this version, as an application's client would. */
const load = (version: string) =>
  Effect.map(TemporaryDirectory.make, (directory) => {
    const target = join(directory, "node_modules", "better-sqlite3")
    mkdirSync(join(target, "build", "Release"), { recursive: true })
    writeFileSync(join(target, "package.json"), JSON.stringify({ name: "better-sqlite3", version }))
    const addon = join(target, "build", "Release", "better_sqlite3.node")
    const prebuilt = join(require.resolve("better-sqlite3"), "..", "..", "prebuilds")
    copyFileSync(join(prebuilt, `${process.platform}-${process.arch}.node`), addon)
    require(addon)
  })

describe("RunStore.layer", () => {
  it.scoped("refuses a client whose driver would abort on this Node, and names the overrides entry to add", () =>
    Effect.gen(function* () {
      yield* load("13.5.0")
      expect(yield* store).toBe("opened")
      yield* load("12.11.1")
      const refused = Effect.map(Effect.flip(store), ({ message, reason }) => ({ message, reason }))
      const expected = {
        reason: "version",
        message: `store: open the database failed (version): better-sqlite3 12.11.1 aborts on Node.js ${process.versions.node}; add "overrides": { "better-sqlite3": "^13.2.0" } to the package.json of the application, and install again`
      }
      if (isAtLeast24) expect(yield* refused).toEqual(expected)
      else expect(yield* store).toBe("opened")
    })
  )
})

describe("Database.layer", () => {
  for (const node of ["20.20.2", "22.13.1", "22.18.0"]) {
    it.scoped(`refuses Node ${node} with a sentence before the driver is loaded, and makes no file`, () =>
      Effect.gen(function* () {
        const filename = yield* TemporaryDirectory.file("jobs.db")
        const opened = Effect.provide(Effect.void, Database.layer({ filename }))
        const error = yield* Effect.flip(Effect.provideService(opened, Driver.NodeVersion, node))
        expect(error).toMatchObject({
          reason: "version",
          message: `store: open the database failed (version): Node.js ${node} is too old; install version 22.19 or newer`
        })
        expect(existsSync(filename)).toBe(false)
      })
    )
  }
})

/** A driver module with this code. */
const driver = (code: string) =>
  Effect.map(TemporaryDirectory.file("driver.cjs"), (file) => {
    writeFileSync(file, code)
    return file
  })

describe("Driver.probe", () => {
  it.scoped("returns the versions, and leaves no files behind", () =>
    Effect.gen(function* () {
      const temporary = yield* TemporaryDirectory.make
      const before = process.env["TMPDIR"]
      yield* Effect.addFinalizer(() =>
        Effect.sync(() => {
          if (before === undefined) delete process.env["TMPDIR"]
          else process.env["TMPDIR"] = before
        })
      )
      process.env["TMPDIR"] = temporary
      expect(yield* Driver.probe).toEqual({
        driver: manifest.dependencies["better-sqlite3"],
        sqlite: expect.stringMatching(/^3\.\d+\.\d+$/)
      })
      expect(readdirSync(temporary)).toEqual([])
    })
  )

  it.scoped("reports a driver that crashes, cannot be loaded, or is missing", () =>
    Effect.gen(function* () {
      const problem = (file: string) =>
        Effect.map(Effect.flip(Effect.provideService(Driver.probe, Driver.DriverRef, file)), ({ problem }) => problem)
      expect(yield* problem(yield* driver("process.abort()"))).toBe("the probe was killed by SIGABRT")
      const other = "throw new Error('was compiled against a different Node.js version\\nRequire stack')"
      expect(yield* problem(yield* driver(other))).toBe("was compiled against a different Node.js version")
      expect(yield* problem("/no/such/driver")).toBe("Cannot find module '/no/such/driver'")
    })
  )
})
