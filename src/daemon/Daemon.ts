/**
 * The daemon: the manager of the jobs of a home, for as long as nobody asks it to end, and the server through which it is
 * reached.
 */
import { Context, Effect, Exit, Layer, Scope } from "effect"
import * as Http from "../http/Server.js"
import { version } from "../http/Version.js"
import { ProcessRunner } from "../tasks/ProcessRunner.js"
import * as Ending from "./Ending.js"
import type { Holder } from "./Holder.js"
import { HomeLock } from "./HomeLock.js"
import * as Host from "./Host.js"
import * as Token from "./Token.js"

export interface Options {
  /** A port of this machine that is served as well, to those who have the token of the home. */
  readonly listen?: { readonly host: string; readonly port: number } | undefined
  /** Run once jobs can be submitted. */
  readonly onReady: (holder: Holder) => Effect.Effect<void>
}

/**
 * Returns when somebody has asked the daemon to end and it has: no request is taken any more, jobs are interrupted and go on
 * at the next start, and the home is free. Interrupted, it ends in the same way.
 */
export const run = ({ listen, onReady }: Options) =>
  Effect.gen(function* () {
    const store = yield* Layer.build(Host.store({ what: "daemon", version }))
    const runner = Context.get(store, ProcessRunner)
    yield* Ending.hurryWhenTold(runner, { force: true })

    const jobs = yield* Scope.make()
    const door = yield* Scope.make()
    // Both at once: those who are connected have as long as the jobs.
    const end = Effect.all([Scope.close(door, Exit.void), Scope.close(jobs, Exit.void)], { concurrency: "unbounded" })
    yield* Effect.addFinalizer(() => Ending.bounded(Effect.asVoid(end), runner))

    yield* Effect.gen(function* () {
      const port = listen && { ...listen, token: yield* Token.make }
      const manager = yield* Layer.buildWithScope(Host.manager({ recovery: "automatic" }), jobs)
      const server = Layer.provide(Host.server(port), Layer.succeedContext(manager))
      const { addresses, shutdownRequested } = Context.get(yield* Layer.buildWithScope(server, door), Http.Server)
      const { announce } = yield* HomeLock
      yield* onReady(yield* announce(addresses))
      yield* shutdownRequested
    }).pipe(Effect.provide(store))
  }).pipe(Effect.scoped)
