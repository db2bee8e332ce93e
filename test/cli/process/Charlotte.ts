/**
 * `charlotte` as others see it: a process of its own, with real signals, pipes and terminals.
 */
import { expect } from "@effect/vitest"
import { Deferred, Effect, type Scope } from "effect"
import { spawn } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"
import { stripVTControlCharacters } from "node:util"
import { inject } from "vitest"
import * as Repository from "../../support/Repository.js"

const { bin, cache } = inject("command")

export interface World extends Repository.Sandbox {
  readonly home: string
  readonly repository: string
  readonly variables: Readonly<Record<string, string>>
}

type Files = (root: string) => Readonly<Record<string, string>>

/** A sandbox with a repository and a home that is not there yet; of what is started in it nothing may be left at the end. */
export const world = (files: Files): Effect.Effect<World, never, Scope.Scope> =>
  Effect.flatMap(Repository.sandbox, (sandbox) => within(sandbox, files))

/** The same in a sandbox that is there. */
export const within = (sandbox: Repository.Sandbox, files: Files): Effect.Effect<World, never, Scope.Scope> =>
  Effect.gen(function* () {
    const repository = yield* Repository.plain(sandbox)
    const home = `${sandbox.root}/charlotte`
    // What is killed while git is at work leaves a directory there.
    const temporary = `${sandbox.root}/tmp`
    yield* sandbox.shell("/", `mkdir -p '${temporary}'`)
    const variables = {
      HOME: sandbox.environment.variables["HOME"] ?? "",
      TMPDIR: temporary,
      PATH: `${bin}:${sandbox.environment.variables["PATH"]}`,
      XDG_CACHE_HOME: cache,
      TERM: "xterm-256color",
      LC_ALL: "C.UTF-8",
      CHARLOTTE_HOME: home,
      // So long that a test that has to wait for its end fails.
      CHARLOTTE_STOP_GRACE: "2 minutes"
    }
    const world: World = { ...sandbox, home, repository, variables }
    yield* Effect.addFinalizer(() => Effect.sync(() => expect(processes(world), "left running").toEqual([])))
    for (const [file, content] of Object.entries(files(sandbox.root)))
      yield* sandbox.write(`${repository}/tasks/${file}`, content)
    yield* commit(world, "tasks")
    return world
  })

/** Commits all that is in the repository. */
export const commit = ({ git, repository }: World, message: string) =>
  Effect.zipRight(git(repository, "add", "--all"), git(repository, "commit", "--quiet", "--allow-empty", "-m", message))

/** The processes that were started in a sandbox, by what is in their environment. */
export const processes = ({ root }: Pick<World, "root">): ReadonlyArray<string> =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      const read = (file: string) => {
        try {
          return readFileSync(`/proc/${pid}/${file}`, "latin1")
        } catch {
          return ""
        }
      }
      return read("environ").includes(root) ? [`${pid} ${read("cmdline").replaceAll("\0", " ")}`] : []
    })

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly out: string
  readonly err: string
}

export interface Running {
  readonly pid: number
  /** Returns when it has said this, on either stream and in whatever colours; fails when it has ended without. */
  readonly says: (pattern: RegExp) => Effect.Effect<void>
  readonly kill: (signal: NodeJS.Signals) => Effect.Effect<void>
  readonly type: (text: string) => Effect.Effect<void>
  readonly ended: Effect.Effect<Ended>
}

export interface Options {
  readonly cwd?: string
  readonly variables?: Readonly<Record<string, string>>
}

/** Starts a shell, in which `charlotte` is there, in the repository; it is killed when the scope closes. */
export const start = (
  world: World,
  script: string,
  options: Options = {}
): Effect.Effect<Running, never, Scope.Scope> =>
  Effect.gen(function* () {
    const ended = yield* Deferred.make<Ended>()
    const child = yield* Effect.acquireRelease(
      Effect.sync(() => {
        const { args, command, cwd } = Repository.commandIn(world, options.cwd ?? world.repository, [
          "bash",
          "-c",
          script
        ])
        const env = { ...world.variables, ...options.variables }
        return spawn(command, args, { cwd, env, stdio: ["pipe", "pipe", "pipe"] })
      }),
      (child) =>
        Effect.zipRight(
          Effect.sync(() => child.kill("SIGKILL")),
          Deferred.await(ended)
        )
    )
    const said = { out: "", err: "" }
    const waiting = new Set<{ readonly pattern: RegExp; readonly done: Deferred.Deferred<void> }>()
    const look = () => {
      const texts = Object.values(said).map(stripVTControlCharacters)
      for (const { done, pattern } of waiting)
        if (texts.some((text) => pattern.test(text))) Deferred.unsafeDone(done, Effect.void)
    }
    for (const name of ["out", "err"] as const)
      child[name === "out" ? "stdout" : "stderr"].setEncoding("utf8").on("data", (text: string) => {
        said[name] += text
        look()
      })
    // What is typed to one that has ended goes nowhere.
    child.stdin.on("error", () => {})
    child.on("close", (code, signal) => Deferred.unsafeDone(ended, Effect.succeed({ code, signal, ...said })))
    return {
      pid: child.pid ?? 0,
      says: (pattern) =>
        Effect.gen(function* () {
          const done = yield* Deferred.make<void>()
          waiting.add({ pattern, done })
          look()
          const isOver = Effect.flatMap(Deferred.await(ended), ({ err, out }) =>
            Effect.dieMessage(`it has ended, and did not say ${pattern}: ${out}${err}`)
          )
          yield* Effect.raceFirst(Deferred.await(done), isOver)
        }),
      kill: (signal) => Effect.sync(() => void child.kill(signal)),
      type: (text) => Effect.sync(() => void child.stdin.write(text)),
      ended: Deferred.await(ended)
    }
  })

/** Runs a script to its end. */
export const run = (world: World, script: string, options?: Options): Effect.Effect<Ended> =>
  Effect.scoped(Effect.flatMap(start(world, script, options), ({ ended }) => ended))

/** The one thing that a text says to do next. */
export const next = ({ out }: Ended): string =>
  /continue with {2}(charlotte .*)/.exec(out)?.[1] ?? `echo no command in: ${out}`
