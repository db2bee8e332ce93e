/**
 * One life of the daemon as its parent sees it.
 */
import { Deferred, Effect, type Scope } from "effect"
import { spawn } from "node:child_process"
import { readFileSync } from "node:fs"
import type { World } from "./World.js"

export interface End {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** The point at which it has killed itself, if it has. */
  readonly point: string | undefined
  /** What it logged. */
  readonly log: string
}

export interface Life {
  readonly pid: number
  /** It takes jobs, or it has ended; tells which. */
  readonly ready: Effect.Effect<boolean>
  /** How many milliseconds it was from its start until it was ready, without those in which it waited for a processor. */
  readonly recovery: () => number
  /** It kills itself at that point. */
  readonly arm: (point: string) => Effect.Effect<void>
  readonly signal: (signal: NodeJS.Signals) => Effect.Effect<void>
  readonly ended: Effect.Effect<End>
}

/** The kernel counts it for the main thread. */
const waited = (pid: number): number => {
  try {
    return Number(readFileSync(`/proc/${pid}/schedstat`, "latin1").split(" ")[1]) / 1e6
  } catch {
    return 0
  }
}

/** Starts the bundled daemon; it is killed when the scope closes. */
export const begin = (
  program: string,
  world: Pick<World, "root" | "variables">,
  options: {
    readonly point?: string | undefined
    readonly onPassed: (point: string) => void
    /** Told of whatever else it says. */
    readonly onSaid?: (text: string) => void
  }
): Effect.Effect<Life, never, Scope.Scope> =>
  Effect.gen(function* () {
    const ended = yield* Deferred.make<End>()
    const ready = yield* Deferred.make<boolean>()
    const child = yield* Effect.acquireRelease(
      Effect.sync(() =>
        spawn(process.execPath, [program, options.point ?? ""], {
          cwd: world.root,
          env: world.variables,
          stdio: ["pipe", "pipe", "pipe"]
        })
      ),
      (child) =>
        Effect.zipRight(
          Effect.sync(() => child.kill("SIGKILL")),
          Deferred.await(ended)
        )
    )
    const pid = child.pid ?? 0
    let log = ""
    let line = ""
    let recovery = 0
    let point: string | undefined
    const obey = (text: string) => {
      const [what, ...rest] = text.split(" ")
      const told = rest.join(" ")
      if (what === "ready") {
        recovery = Number(told) - waited(pid)
        Deferred.unsafeDone(ready, Effect.succeed(true))
      } else if (what === "killed") point = told
      else if (what === "said") options.onSaid?.(told)
      else options.onPassed(told)
    }
    child.stderr.setEncoding("utf8").on("data", (text: string) => (log += text))
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      const lines = (line + text).split("\n")
      line = lines.pop() ?? ""
      lines.forEach(obey)
    })
    // It may be dead already when it is told something.
    child.stdin.on("error", () => {})
    child.on("close", (code, signal) => {
      Deferred.unsafeDone(ready, Effect.succeed(false))
      Deferred.unsafeDone(ended, Effect.succeed({ code, signal, point, log }))
    })
    return {
      pid,
      ready: Deferred.await(ready),
      recovery: () => recovery,
      arm: (point) => Effect.sync(() => void child.stdin.write(`${point}\n`)),
      signal: (signal) => Effect.sync(() => void child.kill(signal)),
      ended: Deferred.await(ended)
    }
  })
