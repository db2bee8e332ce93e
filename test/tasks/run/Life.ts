/**
 * A manager of tasks in a process of its own, which is killed.
 */
import { Deferred, Effect, type Scope } from "effect"
import { spawn } from "node:child_process"
import { mkdirSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { bundle } from "../../support/bundle.js"
import * as TemporaryDirectory from "../../support/TemporaryDirectory.js"
import type { Config } from "./Scenes.js"
import type { World } from "./Witness.js"

/** The program, ready to be started quickly, and often. */
export const program = Effect.flatMap(TemporaryDirectory.make, (directory) =>
  bundle(directory, fileURLToPath(new URL("program.ts", import.meta.url)))
)

export interface Life {
  /** Waits for something that it does; should it end before, or do something else, what it has logged is told. */
  readonly until: <A>(effect: Effect.Effect<A>) => Effect.Effect<A>
  /** Kills the manager, and nobody else; returns when it is gone. */
  readonly kill: Effect.Effect<void>
}

/** Goes on with what is in the sandbox, or starts a job there. */
export const begin = (program: string, { root }: World, config?: Config): Effect.Effect<Life, never, Scope.Scope> =>
  Effect.gen(function* () {
    const gone = yield* Deferred.make<void>()
    mkdirSync(`${root}/killed`, { recursive: true })
    const args = [program, root, ...(config === undefined ? [] : [JSON.stringify(config)])]
    const start = Effect.sync(() => spawn(process.execPath, args, { stdio: ["ignore", "ignore", "pipe"] }))
    const child = yield* Effect.acquireRelease(start, (child) =>
      Effect.zipRight(
        Effect.sync(() => child.kill("SIGKILL")),
        Deferred.await(gone)
      )
    )
    let log = ""
    child.stderr.setEncoding("utf8").on("data", (text: string) => (log += text))
    child.on("exit", () => Deferred.unsafeDone(gone, Effect.void))
    const until: Life["until"] = (effect) =>
      Effect.raceFirst(
        effect,
        Effect.flatMap(Deferred.await(gone), () => Effect.dieMessage("the manager has ended"))
      ).pipe(Effect.tapErrorCause(() => Effect.sync(() => process.stdout.write(log))))
    return {
      until,
      kill: Effect.zipRight(
        Effect.sync(() => child.kill("SIGKILL")),
        Deferred.await(gone)
      )
    }
  })
