/**
 * The daemon: the manager of the jobs of a home, for as long as nobody asks it to end, and the server through which it is
 * reached.
 */
import { Context, Effect, Exit, Layer, Scope } from "effect"
import * as Http from "../http/server/Server.js"
import { version } from "../http/contract/Version.js"
import * as race from "../internal/race.js"
import { RunStore } from "../store/RunStore.js"
import * as Umask from "../process/Umask.js"
import { ProcessRunner } from "../process/ProcessRunner.js"
import * as gracefulShutdown from "./gracefulShutdown.js"
import { type LockOwner, show } from "./LockOwner.js"
import { HomeLock } from "./HomeLock.js"
import * as Layers from "./Layers.js"
import * as JobEventLogger from "./JobEventLogger.js"
import * as DaemonLog from "./DaemonLog.js"
import * as Secrets from "./Secrets.js"
import * as HomeWatcher from "./HomeWatcher.js"

export interface Options {
  /** A port of this machine that is served as well, to those who have the token of the home. */
  readonly listen?: { readonly host: string; readonly port: number } | undefined
  /** Run once jobs can be submitted. */
  readonly onReady: (holder: LockOwner) => Effect.Effect<void>
  /** Is given what is logged, for people. */
  readonly show?: ((line: string) => void) | undefined
}

/**
 * Returns when somebody has asked the daemon to end and it has: no request is taken any more, jobs are interrupted and go on
 * at the next start, and the home is free. Interrupted, it ends in the same way.
 */
export const run = (options: Options) =>
  Effect.gen(function* () {
    yield* Umask.restrictive
    // Whoever finds the home taken writes nothing into its log.
    const home = yield* Layer.build(Layers.home({ what: "daemon", version }))
    yield* live(options).pipe(DaemonLog.to(options), Effect.provide(home))
  }).pipe(Effect.scoped)

const live = ({ listen, onReady }: Options) =>
  Effect.gen(function* () {
    yield* Effect.addFinalizer((exit) =>
      Exit.isFailure(exit) && !Exit.isInterrupted(exit) ? Effect.logFatal("ended", exit.cause) : Effect.logInfo("ended")
    )
    yield* Effect.logInfo("starts").pipe(Effect.annotateLogs({ version, pid: process.pid, node: process.version }))
    const store = yield* Layer.build(Layers.records)
    const runner = Context.get(store, ProcessRunner)
    yield* gracefulShutdown.hurryOnSignal(runner, { force: true })

    // It hears of the end of the jobs, too.
    const log = yield* Effect.acquireRelease(Scope.make(), (scope) => Scope.close(scope, Exit.void))
    const jobs = yield* Scope.make()
    const door = yield* Scope.make()
    // Both at once: those who are connected have as long as the jobs.
    const end = Effect.all([Scope.close(door, Exit.void), Scope.close(jobs, Exit.void)], { concurrency: "unbounded" })
    yield* Effect.addFinalizer(() => gracefulShutdown.bounded(Effect.asVoid(end), runner))

    yield* Effect.gen(function* () {
      const port = listen && { ...listen, token: yield* Secrets.token }
      const before = yield* Effect.flatMap(RunStore, ({ latestCursor }) => latestCursor)
      const manager = yield* Layer.buildWithScope(Layers.manager({ recovery: "automatic" }), jobs)
      const server = Layer.provide(Layers.server(port), Layer.succeedContext(manager))
      const listening = Context.get(yield* Layer.buildWithScope(server, door), Http.Server)
      const { addresses, prepared, shutdownRequested } = listening
      const { announce, withdraw } = yield* HomeLock
      yield* onReady(yield* announce(addresses))
      // Whoever waited for this process goes on meanwhile.
      yield* Effect.logInfo("is ready").pipe(Effect.annotateLogs("on", addresses.map(show).join(", ")))
      yield* Effect.forkIn(Effect.provide(JobEventLogger.follow(before), manager), log)
      // Whoever comes from now on waits until it is over.
      yield* Effect.addFinalizer(() => withdraw)
      const over = race.first([
        Effect.as(shutdownRequested, Effect.logInfo("ends, as a client asks it to")),
        Effect.as(
          HomeWatcher.untilLost(addresses),
          Effect.logError("ends, since the home directory was deleted or moved away")
        )
      ])
      yield* Effect.zipRight(Effect.zipRight(prepared, Layers.tasks), over).pipe(
        Effect.flatten,
        Effect.onInterrupt(() => Effect.logInfo("ends, as a signal tells it to"))
      )
    }).pipe(Effect.provide(store))
  }).pipe(Effect.scoped)
