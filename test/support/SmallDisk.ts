/**
 * A disk of a few megabytes, which can be filled without harm. Only commands that enter it see it.
 */
import { Deferred, Effect, type Scope } from "effect"
import { spawn, spawnSync } from "node:child_process"
import { mkdirSync } from "node:fs"
import { asUser, type Sandbox } from "./Repository.js"

const isRoot = process.geteuid?.() === 0

/** Options of `unshare` for mounts that are private to a command and vanish with it. */
export const apart: ReadonlyArray<string> = isRoot ? ["--mount"] : ["--user", "--map-root-user", "--mount"]

/** Mounts it, with the size `$1`, at the directory `$2`. */
export const mount = 'mount -t tmpfs -o size="$1" none "$2"'

export const canMount =
  process.platform === "linux" &&
  spawnSync("unshare", [...apart, "sh", "-c", mount, "sh", "4k", "/tmp"], { stdio: "ignore" }).status === 0

/** The sandbox in a directory of another one, which is such a disk until the scope closes. */
export const within = (outside: Sandbox, size: string): Effect.Effect<Sandbox, never, Scope.Scope> =>
  Effect.gen(function* () {
    const root = `${outside.root}/disk`
    mkdirSync(root)
    const isMounted = yield* Deferred.make<void>()
    const { pid } = yield* Effect.acquireRelease(
      Effect.sync(() => {
        const keep = `${mount} && echo mounted && exec cat`
        const child = spawn("unshare", [...apart, "sh", "-c", keep, "sh", size, root], {
          env: { PATH: process.env["PATH"] },
          stdio: ["pipe", "pipe", "inherit"]
        })
        child.stdout.once("data", () => Deferred.unsafeDone(isMounted, Effect.void))
        return child
      }),
      (child) => Effect.sync(() => void child.kill("SIGKILL"))
    )
    yield* Deferred.await(isMounted)
    const users = isRoot ? [] : ["--user", "--preserve-credentials"]
    const enter = ["nsenter", `--target=${pid}`, "--mount", ...users]
    return {
      ...outside,
      ...asUser(outside.environment.variables["HOME"] ?? "", enter),
      root,
      enter,
      write: (file, content, mode) => outside.write(`/proc/${pid}/root${file}`, content, mode)
    }
  })
