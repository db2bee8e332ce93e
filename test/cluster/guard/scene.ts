/**
 * What tests of the guard share: the programs of the guard and of a node, and what runs of them.
 */
import { expect } from "@effect/vitest"
import { Effect } from "effect"
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync, mkdirSync, readdirSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { directory, eventually, isAlive, isHeld, read } from "../../process/workshop.js"
import { bundle } from "../../support/bundle.js"
import { lasting } from "./lasting.js"

const source = (path: string) => fileURLToPath(new URL(path, import.meta.url))

const bundled = (home: string, name: string, program: string) =>
  Effect.suspend(() => {
    const path = join(home, name)
    mkdirSync(path)
    return bundle(path, source(program))
  })

/** The program of the guard, as one file. */
export const guardProgram = Effect.flatMap(directory, (home) =>
  bundled(home, "guard", "../../../src/cluster/guard/program.ts")
)

/** The guard processes that a process has started. */
export const guardsOf = (parent: number): ReadonlyArray<number> =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter(
      (pid) =>
        read(`/proc/${pid}/stat`).split(") ")[1]?.split(" ")[1] === String(parent) &&
        read(`/proc/${pid}/cmdline`).startsWith("charlotte-guard")
    )

export interface Node {
  readonly child: ChildProcess
  readonly pid: number
  readonly guard: number
  /** One for each process that does not want to end. */
  readonly locks: ReadonlyArray<string>
  readonly printed: () => string
}

/** The programs, made once for many nodes. */
export const programs = Effect.gen(function* () {
  const home = yield* directory
  const guard = yield* bundled(home, "guard", "../../../src/cluster/guard/program.ts")
  return { guard, node: yield* bundled(home, "node", "node.ts") }
})

/** A node of which all processes hold their locks. */
export const startNode = (
  { guard, node }: Effect.Effect.Success<typeof programs>,
  silence: number
): Effect.Effect<Node, never, Effect.Effect.Context<typeof directory>> =>
  Effect.gen(function* () {
    const home = yield* directory
    const child = yield* Effect.acquireRelease(
      Effect.sync(() =>
        spawn(process.execPath, [node, home, guard, String(silence)], {
          detached: true,
          stdio: ["ignore", "pipe", "inherit"]
        })
      ),
      (child) => Effect.sync(() => child.kill("SIGKILL"))
    )
    const { pid = 0 } = child
    let printed = ""
    child.stdout.on("data", (text) => (printed += String(text)))
    const locks = lasting.map((_, index) => join(home, String(index), "lock"))
    yield* eventually("all processes", () => locks.every((lock) => existsSync(lock) && isHeld(lock)))
    const [first = 0] = guardsOf(pid)
    return { child, pid, guard: first, locks, printed: () => printed }
  })

/**
 * Waits in the kernel until no process holds a lock of a node; returns after how many milliseconds from `act`, which is done once the
 * wait has begun.
 */
export const allGoneAfter = ({ locks }: Node, act: () => void) =>
  Effect.scoped(
    Effect.gen(function* () {
      const waiting = yield* Effect.acquireRelease(
        Effect.sync(() =>
          spawn("sh", ["-c", `echo waiting; for lock; do flock "$lock" true; done`, "sh", ...locks], {
            stdio: ["ignore", "pipe", "inherit"]
          })
        ),
        (waiting) => Effect.sync(() => waiting.kill("SIGKILL"))
      )
      yield* Effect.promise(() => once(waiting.stdout, "data"))
      const since = performance.now()
      act()
      yield* exited(waiting)
      const millis = performance.now() - since
      expect(locks.map(isHeld)).toEqual(locks.map(() => false))
      return millis
    })
  )

export const gone = (pid: number) => eventually(`the end of process ${pid}`, () => !isAlive(pid))

export const exited = (child: ChildProcess) =>
  Effect.promise(async () => {
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit")
  })
