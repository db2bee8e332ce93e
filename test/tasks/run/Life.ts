/**
 * A manager of task jobs in a separate process, to be killed.
 */
import { Deferred, Effect, type Scope } from "effect"
import { spawn } from "node:child_process"
import { mkdirSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { bundle } from "../../support/bundle.js"
import * as TemporaryDirectory from "../../support/TemporaryDirectory.js"
import type { Config } from "./Scenes.js"
import { appears } from "../Jobs.js"
import { resolver } from "./Resolver.js"
import { latest, manager as witnessed, records, type World } from "./Witness.js"

/** The program, bundled so that it starts quickly. */
export const program = Effect.flatMap(TemporaryDirectory.make, (directory) =>
  bundle(directory, fileURLToPath(new URL("program.ts", import.meta.url)))
)

export interface Life {
  /** Waits for a condition; fails with the log if the manager exits or does something else first. */
  readonly until: <A>(effect: Effect.Effect<A>) => Effect.Effect<A>
  /** Kills the manager process only, or ends it with SIGTERM; returns once it has exited. */
  readonly kill: Effect.Effect<void>
  readonly terminate: Effect.Effect<void>
}

/** Resumes the job in the sandbox, or starts one there. */
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
    const end = (signal: NodeJS.Signals) =>
      Effect.zipRight(
        Effect.sync(() => child.kill(signal)),
        Deferred.await(gone)
      )
    return { until, kill: end("SIGKILL"), terminate: end("SIGTERM") }
  })

/** A job whose manager is killed once the file appears. */
export const killedOnce = (world: World, config: Config, file: string) =>
  Effect.gen(function* () {
    const life = yield* begin(yield* program, world, config)
    yield* life.until(appears(file))
    yield* life.kill
    return yield* Effect.provide(latest, records(world))
  })

/** A manager in this process with the agents of the separate one. */
export const manager = (world: World) => witnessed(world, { profiles: [resolver(world)] })
