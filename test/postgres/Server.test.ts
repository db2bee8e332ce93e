import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { chmodSync, existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { Client } from "pg"
import { RealClock } from "../../src/internal/RealClock.js"
import * as TemporaryDirectory from "../support/TemporaryDirectory.js"
import * as TestDatabase from "./database.js"

const program = fileURLToPath(new URL("server.ts", import.meta.url))

const vitest = fileURLToPath(new URL("../../node_modules/vitest/vitest.mjs", import.meta.url))

/** The program of the server, with these variables. */
const startServer = (env: { readonly [name: string]: string | undefined }) =>
  spawn(process.execPath, ["--import", "tsx", program], { env: { ...process.env, ...env }, stdio: "pipe" })

const settingsOf = (url: string, names: ReadonlyArray<string>) =>
  Effect.promise(async () => {
    const client = new Client({ connectionString: url })
    await client.connect()
    try {
      const { rows } = await client.query<{ name: string; setting: string }>(
        "SELECT name, setting FROM pg_settings WHERE name = ANY ($1)",
        [names]
      )
      return Object.fromEntries(rows.map(({ name, setting }) => [name, setting]))
    } finally {
      await client.end()
    }
  })

describe("the PostgreSQL server of the tests", () => {
  it.scoped("keeps what it has acknowledged, and speaks UTF-8", () =>
    Effect.gen(function* () {
      const url = yield* TestDatabase.make
      const settings = yield* settingsOf(url, ["fsync", "synchronous_commit", "server_encoding"])
      expect(settings).toEqual({ fsync: "on", synchronous_commit: "on", server_encoding: "UTF8" })
    })
  )

  it.scoped("gives each test a database of its own", () =>
    Effect.gen(function* () {
      expect(yield* TestDatabase.make).not.toBe(yield* TestDatabase.make)
    })
  )

  it.scoped("stops and leaves no file when the tests end, also after Ctrl-C", () =>
    Effect.gen(function* () {
      const directory = yield* TemporaryDirectory.make
      chmodSync(directory, 0o755)
      const url = yield* Effect.promise(async () => {
        const server = startServer({ TMPDIR: directory })
        const exit = once(server, "exit")
        const [line] = await once(server.stdout, "data")
        server.kill("SIGINT")
        expect(readdirSync(directory)).not.toEqual([])
        server.stdin.destroy()
        expect(await exit).toEqual([0, null])
        return String(line).trim()
      })
      expect(readdirSync(directory).filter((name) => name.startsWith("charlotte-"))).toEqual([])
      const refused = yield* Effect.flip(Effect.tryPromise(() => new Client({ connectionString: url }).connect()))
      expect(String(refused.error)).toContain("ECONNREFUSED")
    })
  )

  it.scopedLive("stops and leaves no file after Ctrl-C on a run of tests", () =>
    Effect.gen(function* () {
      const directory = yield* TemporaryDirectory.make
      chmodSync(directory, 0o755)
      const servers = () => readdirSync(directory).filter((name) => name.startsWith("charlotte-postgres-"))
      const { sleep } = yield* RealClock
      const env = Object.entries(process.env).filter(
        ([name]) => !/^(VITEST|TEST$|NODE_ENV$|CHARLOTTE_TEST_)/.test(name)
      )
      const run = yield* Effect.acquireRelease(
        // In a process group, as the terminal makes one for a command.
        Effect.sync(() =>
          spawn(process.execPath, [vitest, "run", "--project", "postgres", "test/postgres/Listener.test.ts"], {
            detached: true,
            env: { ...Object.fromEntries(env), TMPDIR: directory },
            stdio: "ignore"
          })
        ),
        (child) =>
          Effect.sync(() => {
            if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL")
          })
      )
      const exit = once(run, "exit")
      const pidFile = () => servers().map((name) => join(directory, name, "data", "postmaster.pid"))
      const isReady = () =>
        pidFile().some((file) => existsSync(file) && /^ready/m.test(readFileSync(file, "utf8").split("\n")[7] ?? ""))
      while (!isReady()) yield* sleep(20)
      const [pid, , , port] = readFileSync(pidFile()[0] ?? "", "utf8")
        .split("\n")
        .map(Number)
      // Tests are under way once they have connected.
      const client = new Client({ connectionString: `postgres://postgres@127.0.0.1:${port}/postgres` })
      yield* Effect.promise(() => client.connect())
      client.on("error", () => undefined)
      const databases = Effect.promise(async () => {
        const { rows } = await client.query("SELECT 1 FROM pg_database WHERE datname LIKE 'charlotte_%'")
        return rows.length
      })
      while ((yield* databases) === 0) yield* sleep(20)
      yield* Effect.sync(() => process.kill(-(run.pid ?? 0), "SIGINT"))
      yield* Effect.promise(() => exit)
      // Its directory may be gone a moment before its process.
      while (servers().length > 0 || existsSync(`/proc/${pid}`)) yield* sleep(20)
    })
  )
})
