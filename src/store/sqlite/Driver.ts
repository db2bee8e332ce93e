/**
 * The native SQLite driver. A binary built for another Node can crash the process without a catchable error, so it is checked
 * by version or probed in a child process.
 */
import { Context, Effect, Option, Schema, type Scope } from "effect"
import { spawn } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { StoreError } from "../../domain/errors.js"
import { oldNode } from "../../internal/oldNode.js"

const require = createRequire(import.meta.url)

/** The path of the driver module; tests replace it. */
export class DriverRef extends Context.Reference<DriverRef>()("charlotte/Driver", {
  defaultValue: () => require.resolve("better-sqlite3")
}) {}

/** The first better-sqlite3 that supports Node 24: older ones abort there when prepared statements are garbage collected. */
const oldestMajor = 13

const Manifest = Schema.parseJson(Schema.Struct({ version: Schema.String }))

const versionIn = (directory: string): Option.Option<string> =>
  Option.liftThrowable(readFileSync)(join(directory, "package.json")).pipe(
    Option.flatMap((text) => Schema.decodeOption(Manifest)(String(text))),
    Option.map(({ version }) => version)
  )

const loaded = (): ReadonlyArray<string> =>
  Object.keys(require.cache).filter((file) => /\/better-sqlite3\/.*\.node$/.test(file))

/** Whether at most one copy of SQLite is loaded: two release each other's POSIX locks when one closes a file that both have open. */
export const isAlone = (): boolean => loaded().length <= 1

/** Versions of the native better-sqlite3 modules loaded in this process, by an application or by this library. */
const loadedVersions = (): ReadonlyArray<string> =>
  Object.keys(require.cache).flatMap((file) => {
    const directory = /^(.*\/better-sqlite3)\/.*\.node$/.exec(file)?.[1]
    return directory === undefined ? [] : Option.toArray(versionIn(directory))
  })

/** Fails when the application's client has loaded a better-sqlite3 that would later abort the process. */
export const refuseOld: Effect.Effect<void, StoreError> = Effect.suspend(() => {
  const node = process.versions.node
  const old =
    Number.parseInt(node) < 24 ? undefined : loadedVersions().find((version) => Number.parseInt(version) < oldestMajor)
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

/** The version of Node; tests replace it. */
export class NodeVersion extends Context.Reference<NodeVersion>()("charlotte/NodeVersion", {
  defaultValue: () => process.versions.node
}) {}

/** Fails on a Node where the driver crashes the process with a segmentation fault, since its binary needs a newer Node-API. */
export const refuseOldNode: Effect.Effect<void, StoreError> = Effect.flatMap(NodeVersion, (node) => {
  const problem = oldNode(node)
  return problem === undefined
    ? Effect.void
    : new StoreError({ operation: "open the database", reason: "version", cause: new Error(problem) })
})

/** The versions of a working driver. */
export interface Driver {
  readonly driver: string
  readonly sqlite: string
}

/** The native SQLite driver cannot be loaded or does not work. */
export class DriverUnusable extends Schema.TaggedError<DriverUnusable>()("DriverUnusable", {
  driver: Schema.String,
  problem: Schema.String
}) {
  override get message() {
    return `the native module of better-sqlite3 does not work on Node.js ${process.versions.node} (${process.platform} ${process.arch}): ${this.problem}`
  }
}

const ProbeResult = Schema.parseJson(Schema.Struct({ sqlite: Schema.String }))

/** Arguments: the driver and a database file. The program forces a garbage collection of statements, where an older driver aborts. */
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

/** Exercises the driver on a temporary database in a child process. */
export const probe: Effect.Effect<Driver, DriverUnusable> = Effect.scoped(
  Effect.gen(function* () {
    const driver = yield* DriverRef
    const directory = yield* temporaryDirectory
    const { code, err, out, signal } = yield* Effect.async<ProbeExit>((resume) => {
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
      return yield* new DriverUnusable({ driver, problem: signal === null ? err : `the probe was killed by ${signal}` })
    }
    const { sqlite } = yield* Effect.mapError(
      Schema.decode(ProbeResult)(out),
      ({ message }) => new DriverUnusable({ driver, problem: message })
    )
    return { driver: Option.getOrElse(versionIn(join(driver, "..", "..")), () => "(unknown version)"), sqlite }
  })
)

interface ProbeExit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly out: string
  readonly err: string
}
