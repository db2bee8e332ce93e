/**
 * The peers as subjects: their packages, installed on first use, and the servers they need.
 */
import { execFileSync } from "node:child_process"
import { existsSync, statSync } from "node:fs"
import { join } from "node:path"
import type { Unmeasured } from "./Benchmark.js"
import * as Services from "./Services.js"
import type { Parameters } from "./Subject.js"
import { root, type Subject } from "./Subjects.js"

const directory = join(root, "bench")
const installed = join(directory, "node_modules", ".package-lock.json")

let failure: string | undefined

/** Installs the packages of the peers, unless they are installed for this lock file. */
export const install = (): void => {
  if (failure !== undefined) throw new Error(failure)
  const isThere =
    existsSync(installed) && statSync(installed).mtimeMs >= statSync(join(directory, "package-lock.json")).mtimeMs
  if (isThere) return
  process.stderr.write("[installing the peers]")
  try {
    execFileSync("npm", ["ci", "--no-audit", "--no-fund"], { cwd: directory, stdio: ["ignore", "ignore", "inherit"] })
  } catch {
    failure = "npm ci in bench/ failed"
    throw new Error(failure)
  }
}

/** The result of `make` with the packages of the peers, or the error message. */
export const attempt = <A>(make: () => A): A | string => {
  try {
    install()
    return make()
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

type Make = (parameters: Parameters) => Promise<Subject>

const onRedis =
  (appendfsync: "always" | "everysec"): Make =>
  async (parameters) => ({
    script: "peers/bullmq.ts",
    parameters: { concurrency: 100, port: await Services.redis(appendfsync), ...parameters }
  })

const onPostgres =
  (script: string, settings: Parameters): Make =>
  async (parameters) => ({
    script,
    parameters: { connections: 10, url: await Services.postgres("default"), ...settings, ...parameters }
  })

const peers = {
  "BullMQ, appendfsync always": onRedis("always"),
  "BullMQ, appendfsync everysec": onRedis("everysec"),
  "pg-boss": onPostgres("peers/pgBoss.ts", { lanes: 2, batch: 100 }),
  "pg-boss, one job at a time": onPostgres("peers/pgBoss.ts", { lanes: 10, batch: 1 }),
  "graphile-worker": onPostgres("peers/graphileWorker.ts", { concurrency: 100, batch: 0, queue: 101 }),
  plainjob: async (parameters) => ({ script: "peers/plainjob.ts", parameters }),
  PersistedQueue: async (parameters) => ({ script: "peers/persistedQueue.ts", parameters })
} as const satisfies { readonly [name: string]: Make }

export type Peer = keyof typeof peers

export interface Found {
  readonly subjects: { readonly [name: string]: Subject }
  /** Why the other peers are missing. */
  readonly missing: { readonly [name: string]: string }
}

/** Finds which of these peers can be measured here. */
export const find = async (names: ReadonlyArray<Peer>, parameters: Parameters): Promise<Found> => {
  const subjects: { [name: string]: Subject } = {}
  const missing: { [name: string]: string } = {}
  for (const name of names) {
    try {
      install()
      subjects[name] = await peers[name](parameters)
    } catch (error) {
      missing[name] = error instanceof Error ? error.message : String(error)
    }
  }
  return { subjects, missing }
}

export const unmeasured = (what: string, { missing }: Found): ReadonlyArray<Unmeasured> =>
  Object.entries(missing).map(([against, unmeasured]) => ({ what, against, unmeasured }))
