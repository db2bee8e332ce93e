/**
 * Servers that peers need: Debian's packages, on loopback ports and in temporary directories, stopped with this process.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs"
import { connect, createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"

interface Running {
  readonly child: ChildProcess
  readonly ended: Promise<unknown>
  readonly directory: string
  readonly signal: NodeJS.Signals
}

const running: Array<Running> = []

const words = (command: string, ...parameters: ReadonlyArray<string>): string =>
  execFileSync(command, parameters, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim()

/** The program that `find` finds; if there is none, root installs the package first. */
const program = (debian: string, find: () => string | undefined): string => {
  const there = find()
  if (there !== undefined) return there
  if (process.getuid?.() !== 0) throw new Error(`${debian} is not installed: apt-get install ${debian}`)
  process.stderr.write(`[installing ${debian}]`)
  try {
    execFileSync("apt-get", ["install", "-y", "--no-install-recommends", debian], {
      stdio: ["ignore", "ignore", "inherit"],
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" }
    })
  } catch (cause) {
    throw new Error(`${debian} is not installed, and apt-get could not install it`, { cause })
  }
  const installed = find()
  if (installed === undefined) throw new Error(`${debian} is installed, and its server is not where it should be`)
  return installed
}

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer().once("error", reject)
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0))
    })
  })

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1")
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false))
    socket.once("connect", () => socket.destroy())
  })

const launch = async (
  argv: readonly [string, ...ReadonlyArray<string>],
  port: number,
  directory: string,
  signal: NodeJS.Signals,
  user: { readonly uid?: number; readonly gid?: number }
): Promise<void> => {
  const [command, ...parameters] = argv
  const child = spawn(command, parameters, { ...user, cwd: directory, stdio: ["ignore", "ignore", "pipe"] })
  let said = ""
  child.stderr.setEncoding("utf8").on("data", (data: string) => (said = (said + data).slice(-2_000)))
  const ended = new Promise((resolve) => child.once("close", resolve))
  running.push({ child, ended, directory, signal })
  for (let tries = 0; !(await answers(port)); tries++) {
    if (child.exitCode !== null || tries > 300) throw new Error(`${command} does not answer: ${said}`)
    await sleep(50)
  }
}

const once = <A, Key extends string>(make: (key: Key) => Promise<A>): ((key: Key) => Promise<A>) => {
  const made = new Map<Key, Promise<A>>()
  return (key) => {
    const before = made.get(key) ?? make(key)
    made.set(key, before)
    return before
  }
}

/** A Redis that appends each command to its log, and syncs it as often as `appendfsync` says. Returns its port. */
export const redis = once(async (appendfsync: "always" | "everysec"): Promise<number> => {
  const server = program("redis-server", () => ["/usr/bin/redis-server"].find(existsSync))
  const directory = mkdtempSync(join(tmpdir(), "charlotte-redis-"))
  const port = await freePort()
  const settings = ["--bind", "127.0.0.1", "--port", `${port}`, "--save", "", "--appendonly", "yes"]
  await launch([server, ...settings, "--appendfsync", appendfsync], port, directory, "SIGTERM", {})
  return port
})

/** PostgreSQL with its default settings and a little more memory. Returns its URL. */
export const postgres = once(async (_: "default"): Promise<string> => {
  const versions = "/usr/lib/postgresql"
  const bin = program("postgresql", () =>
    (existsSync(versions) ? readdirSync(versions) : [])
      .map((version) => join(versions, version, "bin"))
      .find((bin) => existsSync(join(bin, "initdb")))
  )
  const directory = mkdtempSync(join(tmpdir(), "charlotte-postgres-"))
  // It refuses to run as root.
  const root = process.getuid?.() === 0
  const user = root ? { uid: Number(words("id", "-u", "postgres")), gid: Number(words("id", "-g", "postgres")) } : {}
  if (user.uid !== undefined) chownSync(directory, user.uid, user.gid)
  const data = join(directory, "data")
  execFileSync(join(bin, "initdb"), ["-D", data, "-U", "bench", "-A", "trust", "-E", "UTF8", "--no-sync"], {
    ...user,
    cwd: directory,
    stdio: "ignore"
  })
  const port = await freePort()
  const settings = [
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "shared_buffers=512MB",
    "max_wal_size=4GB",
    "logging_collector=off"
  ].flatMap((setting) => ["-c", setting])
  await launch([join(bin, "postgres"), "-D", data, "-p", `${port}`, ...settings], port, directory, "SIGINT", user)
  return `postgres://bench@127.0.0.1:${port}/postgres`
})

/** The versions of these servers, for the results. */
export const versions = (): ReadonlyArray<string> => {
  const of = (command: string) => {
    try {
      return [words(command, "--version")]
    } catch {
      return []
    }
  }
  return [
    ...of("/usr/bin/redis-server").map((text) => `Redis ${/v=(\S+)/.exec(text)?.[1] ?? text}`),
    ...of("psql").map((text) => `PostgreSQL ${/\d+\.\d+/.exec(text)?.[0] ?? text}`)
  ]
}

/** Stops all running servers. */
export const end = async (): Promise<void> => {
  await Promise.all(
    running.splice(0).map(async ({ child, directory, ended, signal }) => {
      child.kill(signal)
      await ended
      rmSync(directory, { recursive: true, force: true })
    })
  )
}

// If the process is aborted, there is no time for a graceful shutdown.
process.once("exit", () => {
  for (const { child, directory } of running) {
    child.kill("SIGKILL")
    rmSync(directory, { recursive: true, force: true })
  }
})
