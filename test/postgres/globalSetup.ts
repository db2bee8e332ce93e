/**
 * One server for all tests on PostgreSQL: that of `CHARLOTTE_TEST_POSTGRES`, or one that is started for them. It has a database with all
 * tables, which tests copy: the copy takes 20 ms of the processor, the migrations 130. And the programs that tests start, bundled once.
 */
import { Database, RunStore } from "charlotte"
import { Effect, Layer } from "effect"
import { spawn } from "node:child_process"
import { randomUUID } from "node:crypto"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { Client } from "pg"
import type { TestProject } from "vitest/node"
import { bundleAll } from "../support/bundle.js"

interface Server {
  /** Databases may be created on it. */
  readonly url: string
  /** The database with all tables. */
  readonly migrated: string
  /** Copies a database file by file, which takes half the time of writing each of its pages to the log. */
  readonly strategy: "" | "STRATEGY file_copy"
}

declare module "vitest" {
  interface ProvidedContext {
    readonly postgres: Server
    readonly programs: Readonly<Record<keyof typeof sources, string>>
  }
}

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

const sources = {
  engineNode: here("engineNode.ts"),
  follower: here("follower.ts"),
  groupWorker: here("groupWorker.ts"),
  guard: here("../../src/cluster/guard/program.ts"),
  manager: here("manager.ts"),
  node: here("cluster/node.ts")
}

const program = here("server.ts")

/** Runs a statement on the server, and returns its rows. */
const rowsOf = async (url: string, statement: string) => {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query<Record<string, unknown>>(statement)).rows
  } finally {
    await client.end()
  }
}

const prepare = async (url: string): Promise<Server> => {
  const migrated = `charlotte_${randomUUID().replaceAll("-", "")}`
  const [row] = await rowsOf(url, "SELECT current_setting('server_version_num') AS version")
  const strategy = Number(row?.["version"]) < 150_000 ? "" : "STRATEGY file_copy"
  await rowsOf(url, `CREATE DATABASE ${migrated} ${strategy}`)
  const database = new URL(url)
  database.pathname = `/${migrated}`
  const stored = RunStore.layer.pipe(Layer.provide(Database.layerPostgres({ url: database.href })))
  await Effect.runPromise(Effect.scoped(Layer.build(stored)))
  return { url, migrated, strategy }
}

/** Bundles the programs, and returns what removes them. */
const bundlePrograms = async (project: TestProject) => {
  const directory = mkdtempSync(join(tmpdir(), "charlotte-programs-"))
  await bundleAll(directory, sources)
  const program = (name: keyof typeof sources) => join(directory, `${name}.js`)
  project.provide("programs", {
    engineNode: program("engineNode"),
    follower: program("follower"),
    groupWorker: program("groupWorker"),
    guard: program("guard"),
    manager: program("manager"),
    node: program("node")
  })
  return () => rmSync(directory, { recursive: true })
}

/** Starts a server, if none is named, and returns what ends it. */
const startServer = async (project: TestProject): Promise<() => Promise<unknown>> => {
  const given = process.env["CHARLOTTE_TEST_POSTGRES"]
  if (given !== undefined && given !== "") {
    const server = await prepare(given)
    project.provide("postgres", server)
    return () => rowsOf(given, `DROP DATABASE ${server.migrated}`)
  }
  // In a process group of its own, so that Ctrl-C does not reach it before the tests have ended.
  const server = spawn(process.execPath, ["--import", "tsx", program], {
    detached: true,
    stdio: ["pipe", "pipe", "inherit"]
  })
  const exit = once(server, "exit")
  const url = await Promise.race([
    once(server.stdout, "data").then(([line]) => String(line).trim()),
    exit.then(() => {
      throw new Error("PostgreSQL could not be started; the line above says why.")
    })
  ])
  project.provide("postgres", await prepare(url))
  return () => {
    server.stdin.end()
    return exit
  }
}

export const setup = async (project: TestProject) => {
  const remove = await bundlePrograms(project)
  const end = await startServer(project)
  return async () => {
    remove()
    await end()
  }
}
