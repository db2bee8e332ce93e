/**
 * The native part of SQLite. Where it does not fit the Node that loads it, there may be no error to catch: the process
 * crashes. So it is checked by its version, or tried in a process of its own.
 */
import { Context, Effect, Option, Schema, type Scope } from "effect"
import { spawn } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { StoreError } from "../domain/errors.js"

const require = createRequire(import.meta.url)

/** The module that is tried; tests replace it. */
export class DriverRef extends Context.Reference<DriverRef>()("charlotte/Driver", {
  defaultValue: () => require.resolve("better-sqlite3")
}) {}

/** The first better-sqlite3 that runs on Node 24: older ones abort there when prepared statements are collected. */
const needed = 13

const Manifest = Schema.parseJson(Schema.Struct({ version: Schema.String }))

const versionIn = (directory: string): Option.Option<string> =>
  Option.liftThrowable(readFileSync)(join(directory, "package.json")).pipe(
    Option.flatMap((text) => Schema.decodeOption(Manifest)(String(text))),
    Option.map(({ version }) => version)
  )

const loaded = (): ReadonlyArray<string> =>
  Object.keys(require.cache).filter((file) => /\/better-sqlite3\/.*\.node$/.test(file))

/** Two copies of SQLite in one process give up each other's locks when they close the same file. */
export const isAlone = (): boolean => loaded().length <= 1

/** The versions of better-sqlite3 whose native part this process has loaded, by an application or by us. */
const loadedVersions = (): ReadonlyArray<string> =>
  Object.keys(require.cache).flatMap((file) => {
    const directory = /^(.*\/better-sqlite3)\/.*\.node$/.exec(file)?.[1]
    return directory === undefined ? [] : Option.toArray(versionIn(directory))
  })

/**
 * Fails when an application's own client has brought a better-sqlite3 that would abort this process later.
 */
export const refuseOld: Effect.Effect<void, StoreError> = Effect.suspend(() => {
  const node = process.versions.node
  const old =
    Number.parseInt(node) < 24 ? undefined : loadedVersions().find((version) => Number.parseInt(version) < needed)
  return old === undefined
    ? Effect.void
    : new StoreError({
        operation: "open the database",
        reason: "version",
        cause: new Error(
          `better-sqlite3 ${old} aborts on Node.js ${node}; add "overrides": { "better-sqlite3": "^13.2.0" } to the package.json of the application, and install again`
        )
      })
})

/** What a driver that works says of itself. */
export interface Driver {
  readonly driver: string
  readonly sqlite: string
}

/** The native part of SQLite could not be loaded, or does not work. */
export class DriverUnusable extends Schema.TaggedError<DriverUnusable>()("DriverUnusable", {
  driver: Schema.String,
  problem: Schema.String
}) {
  override get message() {
    return `the native part of better-sqlite3 does not work on Node.js ${process.versions.node} (${process.platform} ${process.arch}): ${this.problem}`
  }
}

const Answer = Schema.parseJson(Schema.Struct({ sqlite: Schema.String }))

/** Its arguments: the driver, and a file. Statements are collected, which is where an older driver aborts. */
const program = `
  const [, driver, filename] = process.argv
  try {
    const database = new (require(driver))(filename)
    database.exec("PRAGMA journal_mode = WAL; BEGIN IMMEDIATE; CREATE TABLE t (n INTEGER); INSERT INTO t VALUES (1)")
    for (let i = 0; i < 1000; i++) database.prepare("SELECT n FROM t").get()
    gc()
    database.exec("COMMIT")
    const sqlite = database.prepare("SELECT sqlite_version()").pluck().get()
    database.close()
    process.stdout.write(JSON.stringify({ sqlite }))
  } catch (error) {
    process.stderr.write(String(error.message).split("\\n")[0])
    process.exitCode = 1
  }
`

const temporaryDirectory: Effect.Effect<string, never, Scope.Scope> = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "charlotte-driver-"))),
  (directory) => Effect.sync(() => rmSync(directory, { recursive: true, force: true }))
)

/** Opens, locks, prepares and closes a database of its own, in a process of its own. */
export const probe: Effect.Effect<Driver, DriverUnusable> = Effect.scoped(
  Effect.gen(function* () {
    const driver = yield* DriverRef
    const directory = yield* temporaryDirectory
    const { code, err, out, signal } = yield* Effect.async<Ended>((resume) => {
      const args = ["--expose-gc", "--eval", program, driver, join(directory, "probe.db")]
      const child = spawn(process.execPath, args, { env: {}, stdio: ["ignore", "pipe", "pipe"] })
      let [out, err] = ["", ""]
      child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text))
      child.stderr.setEncoding("utf8").on("data", (text: string) => (err += text))
      child.on("error", ({ message }) => resume(Effect.succeed({ code: null, signal: null, out, err: message })))
      child.on("close", (code, signal) => resume(Effect.succeed({ code, signal, out, err })))
      return Effect.sync(() => void child.kill("SIGKILL"))
    })
    if (code !== 0) {
      return yield* new DriverUnusable({ driver, problem: signal === null ? err : `it ended with ${signal}` })
    }
    const { sqlite } = yield* Effect.mapError(
      Schema.decode(Answer)(out),
      ({ message }) => new DriverUnusable({ driver, problem: message })
    )
    return { driver: Option.getOrElse(versionIn(join(driver, "..", "..")), () => "of an unknown version"), sqlite }
  })
)

interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly out: string
  readonly err: string
}
