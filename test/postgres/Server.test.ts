import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { chmodSync, readdirSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { Client } from "pg"
import * as TemporaryDirectory from "../support/TemporaryDirectory.js"
import * as TestDatabase from "./database.js"

const program = fileURLToPath(new URL("server.ts", import.meta.url))

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
})
