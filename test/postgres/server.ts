/**
 * A PostgreSQL server for tests, in a process of its own: prints the URL, and stops the server and deletes its files when its
 * stdin ends, which it does however the process that started it has ended.
 */
import { spawnSync } from "node:child_process"
import { chownSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { createServer } from "node:net"
import { join } from "node:path"
import { memoryDirectory } from "../support/memoryDirectory.js"
import { programs, type Programs } from "./installation.js"

/** Below the ports that the system gives to clients. */
const [firstPort, lastPort] = [20_000, 32_767]

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer()
    server.once("error", () => resolve(false))
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)))
  })

const freePort = async (): Promise<number> => {
  for (;;) {
    const port = firstPort + Math.floor(Math.random() * (lastPort - firstPort + 1))
    if (await isFree(port)) return port
  }
}

const run = ({ user }: Programs, command: string, args: ReadonlyArray<string>, log?: string) => {
  const { status, stderr } = spawnSync(command, args, {
    ...user,
    cwd: "/",
    encoding: "utf8",
    // The server inherits them, and would keep a pipe open.
    stdio: ["ignore", "ignore", log === undefined ? "pipe" : "ignore"],
    env: { PATH: process.env["PATH"], LC_ALL: "C.UTF-8" }
  })
  if (status === 0) return
  const reason = log === undefined ? stderr : readFileSync(log, "utf8")
  throw new Error(`${command} failed: ${reason.trim()}`)
}

const start = async (found: Programs, directory: string): Promise<string> => {
  if (found.user !== undefined) chownSync(directory, found.user.uid, found.user.gid)
  const [data, log] = [join(directory, "data"), join(directory, "log")]
  run(found, found.initdb, ["-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"])
  const port = await freePort()
  // `fsync` stays on, as where it matters. No power failure tears a page here, and each database that is dropped forces a checkpoint,
  // after which every page of all others would be logged whole.
  const settings = {
    port,
    listen_addresses: "127.0.0.1",
    unix_socket_directories: "",
    full_page_writes: "off",
    max_connections: 200,
    shared_buffers: "64MB"
  }
  const options = Object.entries(settings).map(([name, value]) => `-c ${name}='${value}'`)
  run(found, found.pgCtl, ["-D", data, "-l", log, "-o", options.join(" "), "-w", "start"], log)
  return `postgres://postgres@127.0.0.1:${port}/postgres`
}

const main = async () => {
  // Ctrl-C ends the tests, and that ends this process; killed, it would leave the server running.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {})
  // The tests may have ended while the server started.
  process.stdout.on("error", () => {})
  const ended = new Promise((resolve) => process.stdin.on("end", resolve).on("error", resolve).resume())
  const found = programs()
  const directory = mkdtempSync(join(memoryDirectory(), "charlotte-postgres-"))
  try {
    const url = await start(found, directory)
    process.stdout.write(`${url}\n`)
    await ended
    run(found, found.pgCtl, ["-D", join(directory, "data"), "-m", "immediate", "-w", "stop"])
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
})
