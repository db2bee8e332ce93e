/**
 * `examples/app` as its users have it: a copy with the packages that it asks for, and its processes.
 */
import { Effect, Schedule, type Scope } from "effect"
import { build } from "esbuild"
import { type ChildProcess, execFile, spawn } from "node:child_process"
import { cpSync, globSync, mkdirSync, readdirSync, symlinkSync } from "node:fs"
import { join } from "node:path"
import { promisify } from "node:util"
import { freePort } from "../../examples/cluster/freePort.js"
import { root } from "../docs/pages.js"
import * as TemporaryDirectory from "../support/TemporaryDirectory.js"

/** Charlotte as npm installs it, without declarations, from the sources of this checkout. */
const installCharlotte = async (directory: string) => {
  cpSync(join(root, "package.json"), join(directory, "package.json"))
  const entryPoints = globSync("src/**/*.ts", {
    cwd: root,
    exclude: (path) => ["src/web", "src/cli"].includes(path)
  })
  await build({
    absWorkingDir: root,
    entryPoints,
    outdir: join(directory, "dist"),
    outbase: "src",
    format: "esm",
    target: "node22",
    logLevel: "error"
  })
  const page = join(root, "scripts/buildPage.ts")
  await promisify(execFile)(process.execPath, ["--import", "tsx", page, join(directory, "dist/web")], { cwd: root })
}

/** Copies the example into a fresh directory, and returns the directory of the copy. */
export const install: Effect.Effect<string, never, Scope.Scope> = Effect.tap(
  Effect.map(TemporaryDirectory.make, (directory) => join(directory, "shop")),
  (shop) =>
    Effect.promise(async () => {
      cpSync(join(root, "examples/app"), shop, { recursive: true })
      const modules = join(shop, "node_modules")
      mkdirSync(join(modules, "charlotte"), { recursive: true })
      for (const name of readdirSync(join(root, "node_modules"))) {
        if (name !== ".cache") symlinkSync(join(root, "node_modules", name), join(modules, name))
      }
      await installCharlotte(join(modules, "charlotte"))
    })
)

export interface Variables {
  readonly [name: string]: string
}

/** Accounts of the shop. */
export const accounts = { ada: { password: "countess", can: "act" }, grace: { password: "cobol", can: "read" } }

interface Process {
  /** Ends it by `kill -9`, and starts it again. */
  readonly restart: Effect.Effect<void>
  /** Why it has ended by itself, if it has. */
  readonly ended: () => string | undefined
}

/** A program of the example, which is started again when another worker still owns the jobs, as service managers do. */
const supervise = (cwd: string, program: string, env: NodeJS.ProcessEnv): Effect.Effect<Process, never, Scope.Scope> =>
  Effect.gen(function* () {
    let ended: string | undefined
    let child: ChildProcess | undefined
    const spawnProgram = Effect.sync(() => {
      const started = spawn(process.execPath, [program], { cwd, env, stdio: ["ignore", "pipe", "pipe"] })
      let output = ""
      for (const stream of [started.stdout, started.stderr])
        stream.setEncoding("utf8").on("data", (text: string) => (output += text))
      started.on("close", (code) => {
        if (code === null) return
        if (output.includes("AlreadyManaged")) Effect.runSync(spawnProgram)
        else ended = `${program} has ended with ${code}: ${output}`
      })
      child = started
    })
    const kill = Effect.async<void>((resume) => {
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) return resume(Effect.void)
      child.once("close", () => resume(Effect.void))
      child.kill("SIGKILL")
    })
    yield* Effect.acquireRelease(spawnProgram, () => kill)
    return { restart: Effect.zipRight(kill, spawnProgram), ended: () => ended }
  })

interface Options {
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
}

interface Shop {
  readonly directory: string
  readonly worker: Process
  readonly web: Process
  /** Sends a request until there is a response: a process that is killed, or not ready yet, gives none. */
  readonly send: (method: string, path: string, options?: Options) => Effect.Effect<Response>
}

/** Starts both processes, which are killed when the scope closes. */
export const start = (variables: Variables = {}): Effect.Effect<Shop, never, Scope.Scope> =>
  Effect.gen(function* () {
    const directory = yield* install
    const port = yield* freePort
    const env = {
      PATH: process.env["PATH"],
      PORT: String(port),
      ACCOUNTS: JSON.stringify(accounts),
      SESSION_SECRET: "a secret of this test",
      ...variables
    }
    const worker = yield* supervise(directory, "src/worker/main.ts", env)
    const web = yield* supervise(directory, "src/web/main.ts", env)
    const send: Shop["send"] = (method, path, { body, headers } = {}) =>
      Effect.gen(function* () {
        const problem = worker.ended() ?? web.ended()
        if (problem !== undefined) return yield* Effect.dieMessage(problem)
        const url = `http://127.0.0.1:${port}${path}`
        return yield* Effect.tryPromise((signal) =>
          fetch(url, {
            method,
            redirect: "manual",
            signal,
            ...(headers && { headers }),
            ...(body !== undefined && { body })
          })
        )
      }).pipe(
        Effect.filterOrFail(({ status }) => status < 500),
        Effect.retry(Schedule.spaced("50 millis")),
        Effect.orDie
      )
    return { directory, worker, web, send }
  })
