/**
 * The daemon: the job manager of a home and its HTTP server, until it is shut down.
 */
import { Context, Effect, Exit, Layer, Option, Scope } from "effect"
import * as Http from "../tasks/http/Server.js"
import { version } from "../http/contract/Version.js"
import * as background from "../internal/background.js"
import * as race from "../internal/race.js"
import { JobManager } from "../manager/JobManager.js"
import { StartProgress } from "../store/port/StartProgress.js"
import { RunStore } from "../store/RunStore.js"
import * as Umask from "../process/Umask.js"
import { ProcessRunner } from "../process/ProcessRunner.js"
import * as Telemetry from "../telemetry/Telemetry.js"
import * as gracefulShutdown from "./supervision/gracefulShutdown.js"
import { type LockOwner, show } from "./home/LockOwner.js"
import type { DatabaseChoice } from "./config/DatabaseChoice.js"
import * as DaemonLayers from "./layers/DaemonLayers.js"
import * as ExportNote from "./home/ExportNote.js"
import { Flag } from "./home/HomeDatabase.js"
import { HomeLock } from "./home/HomeLock.js"
import * as HomeNode from "./serve/HomeNode.js"
import type { NodeSettings } from "./config/NodeSettings.js"
import * as Layers from "./layers/Layers.js"
import * as JobEventLogger from "./serve/JobEventLogger.js"
import * as DaemonLog from "./serve/DaemonLog.js"
import * as Secrets from "./home/Secrets.js"
import * as ServedPort from "./serve/ServedPort.js"
import * as TaskSchedules from "./serve/TaskSchedules.js"
import * as HomeWatcher from "./home/HomeWatcher.js"

export interface Options {
  /** The database, from the command line. */
  readonly database?: Option.Option<DatabaseChoice> | undefined
  /** Whether to continue the jobs of a home that was exported. */
  readonly again?: boolean | undefined
  /** Settings of a node of a cluster, from the command line. */
  readonly node?: NodeSettings | undefined
  /** A port to serve as well; its clients need a token. */
  readonly listen?: ServedPort.Port | undefined
  /** Settings of that port, from the command line. */
  readonly port?: ServedPort.Settings | undefined
  /** Run once jobs can be submitted. */
  readonly onReady: (holder: LockOwner) => Effect.Effect<void>
  /** Receives messages for the user before it is ready, such as the progress of a long migration; they are logged, too. */
  readonly onProgress?: ((line: string) => Effect.Effect<void>) | undefined
  /** Receives each log line in readable form. */
  readonly show?: ((line: string) => void) | undefined
}

/** Milliseconds for the last export of telemetry, of the ten seconds of a shutdown; the jobs leave at least that. */
const lastExport = 400

/**
 * Returns after a shutdown that a client requested: no request is accepted any more, jobs are interrupted and continue at the next
 * start, and the home is free. Interrupting it shuts it down in the same way.
 */
export const run = (options: Options) =>
  Effect.gen(function* () {
    yield* Umask.restrictive
    // A process that does not get the home writes nothing to its log.
    const home = yield* Layer.build(DaemonLayers.home({ what: "daemon", version, port: options.port }))
    yield* Effect.provide(ExportNote.refuse(options.again === true), home)
    const telemetry = {
      secrets: Context.get(home, Secrets.Secrets),
      version,
      flush: lastExport,
      onProblem: (problem: string) => Effect.logWarning(problem)
    }
    yield* live(options).pipe(Telemetry.exported(telemetry), DaemonLog.to(options), Effect.provide(home))
  }).pipe(
    Effect.scoped,
    Effect.provideService(Flag, options.database ?? Option.none()),
    Effect.provideService(HomeNode.Flags, options.node ?? {})
  )

const live = ({ listen, onProgress = () => Effect.void, onReady, port: settings = {} }: Options) =>
  Effect.gen(function* () {
    yield* Effect.addFinalizer((exit) =>
      Exit.isFailure(exit) && !Exit.isInterrupted(exit)
        ? Effect.logFatal("stopped", exit.cause)
        : Effect.logInfo("stopped")
    )
    yield* Effect.logInfo("starting").pipe(Effect.annotateLogs({ version, pid: process.pid, node: process.version }))
    const served = listen && (yield* ServedPort.make(listen, settings))
    for (const warning of served?.warnings ?? [])
      yield* Effect.zipRight(Effect.logWarning(warning), onProgress(warning))
    const sharedToken = yield* ServedPort.sharedToken(settings)
    const reported = Effect.provideService(StartProgress, (line) =>
      Effect.zipRight(Effect.logInfo(line), onProgress(line))
    )
    // Untraced: a migration has many statements.
    const store = yield* reported(Effect.withTracerEnabled(Layer.build(DaemonLayers.records), false))
    const runner = Context.get(store, ProcessRunner)
    yield* gracefulShutdown.hurryOnSignal(runner, { force: true })

    // Closed after the jobs, so that it logs their end too.
    const log = yield* Effect.acquireRelease(Scope.make(), (scope) => Scope.close(scope, Exit.void))
    const jobs = yield* Scope.make()
    const serverScope = yield* Scope.make()
    const notices = yield* Scope.make()
    // All at once: open connections, and the command of a notice, get as much time as the jobs.
    const end = Effect.all(
      [serverScope, jobs, notices].map((scope) => Scope.close(scope, Exit.void)),
      { concurrency: "unbounded" }
    )
    yield* Effect.addFinalizer(() => gracefulShutdown.bounded(Effect.asVoid(end), runner))

    yield* Effect.gen(function* () {
      const before = yield* Effect.flatMap(RunStore, ({ latestCursor }) => latestCursor)
      const supervised = yield* reported(Scope.extend(DaemonLayers.supervised(served?.port, sharedToken), jobs))
      yield* Scope.extend(Effect.asVoid(Layers.notices({ isNode: supervised.node !== undefined })), notices)
      yield* Scope.extend(TaskSchedules.make({ isNode: supervised.node !== undefined }), notices)
      const manager = Context.make(JobManager, supervised.manager)
      const server = Layer.provide(
        Layers.server({
          port: served?.port,
          reopenPage: true,
          after: before,
          unmanaged: supervised.problems,
          node: supervised.node
        }),
        Layer.succeedContext(manager)
      )
      const listening = Context.get(yield* Layer.buildWithScope(server, serverScope), Http.Server)
      const { addresses, prepared, shutdownRequested } = listening
      const { announce, withdraw } = yield* HomeLock
      yield* onReady(yield* announce(addresses))
      // After `onReady`, so that the process that waits for it can continue.
      yield* Effect.logInfo("ready").pipe(Effect.annotateLogs("on", addresses.map(show).join(", ")))
      yield* Scope.extend(background.fork(Effect.provide(JobEventLogger.follow(before), manager)), log)
      // From here on, a process that wants the home waits until it is free.
      yield* Effect.addFinalizer(() => withdraw)
      const over = race.first([
        Effect.as(shutdownRequested, Effect.logInfo("shutting down: requested by client")),
        Effect.as(
          HomeWatcher.untilLost(addresses),
          Effect.logError("shutting down: the home directory was deleted or moved")
        )
      ])
      yield* Effect.zipRight(Effect.zipRight(prepared, Layers.tasks), over).pipe(
        Effect.flatten,
        Effect.onInterrupt(() => Effect.logInfo("shutting down: received a signal"))
      )
    }).pipe(Effect.provide(store))
  }).pipe(Effect.scoped)
