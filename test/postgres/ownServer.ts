/**
 * A server of a test's own, which it may stop.
 */
import { Effect, type Scope } from "effect"
import { spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { chmodSync, readdirSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import * as TemporaryDirectory from "../support/TemporaryDirectory.js"
import { programs } from "./installation.js"

const program = fileURLToPath(new URL("server.ts", import.meta.url))

export interface OwnServer {
  readonly url: string
  /** Its configuration and its tables. */
  readonly directory: string
  readonly stop: Effect.Effect<void>
  /** Starts it again, on the same port. */
  readonly start: Effect.Effect<void>
}

export const make: Effect.Effect<OwnServer, never, Scope.Scope> = Effect.gen(function* () {
  const directory = yield* TemporaryDirectory.make
  chmodSync(directory, 0o755)
  const { url } = yield* Effect.acquireRelease(
    Effect.promise(async () => {
      const server = spawn(process.execPath, ["--import", "tsx", program], {
        env: { ...process.env, TMPDIR: directory },
        stdio: ["pipe", "pipe", "inherit"]
      })
      const exit = once(server, "exit")
      const [line] = await once(server.stdout, "data")
      return { url: String(line).trim(), server, exit }
    }),
    ({ exit, server }) =>
      Effect.promise(() => {
        server.stdin.end()
        return exit
      })
  )
  const [own = ""] = readdirSync(directory).filter((name) => name.startsWith("charlotte-postgres-"))
  const data = join(directory, own, "data")
  const { pgCtl, user } = programs()
  const control = (...args: ReadonlyArray<string>) =>
    Effect.sync(() => {
      const { status } = spawnSync(pgCtl, ["-D", data, "-w", ...args], {
        ...user,
        cwd: "/",
        stdio: "ignore",
        env: { PATH: process.env["PATH"], LC_ALL: "C.UTF-8" }
      })
      if (status !== 0) throw new Error(`pg_ctl ${args.join(" ")} failed`)
    })
  const settings = `-c port=${new URL(url).port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=`
  return {
    url,
    directory: data,
    stop: control("-m", "fast", "stop"),
    start: control("-o", settings, "-l", join(directory, own, "log"), "start")
  }
})
