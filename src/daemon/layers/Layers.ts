/**
 * The layers that jobs of tasks run on, in a home directory: used by the daemon, and by `charlotte run` in the foreground.
 */
import { Effect, Layer } from "effect"
import * as Http from "../../tasks/http/Server.js"
import * as background from "../../internal/background.js"
import * as Later from "../../internal/Later.js"
import { Orchestrator } from "../../manager/Orchestrator.js"
import { KernelRef } from "../../internal/ProcessIdentity.js"
import * as RunStore from "../../store/RunStore.js"
import * as ProcessRunner from "../../process/ProcessRunner.js"
import * as Configuration from "../config/Configuration.js"
import * as Home from "../home/Home.js"
import { pageDirectory } from "../../http/server/page/pageDirectory.js"
import * as databaseClient from "./databaseClient.js"
import * as HomeDatabase from "../home/HomeDatabase.js"
import * as HomeLock from "../home/HomeLock.js"
import type { NodeReport } from "../serve/NodeReport.js"
import * as Secrets from "../home/Secrets.js"
import { removeFormer } from "../notices/noticeSubscribers.js"
import type { Served } from "../serve/ServedPort.js"

/** Preloaded once the daemon is ready. */
export const tasks = Effect.promise(() => import("./TaskLayers.js"))

/** The task orchestrator, loaded by the first job that is checked, run or recovered. */
export const orchestrator = Layer.effect(
  Orchestrator,
  Effect.gen(function* () {
    const context = yield* Effect.context<Layer.Layer.Context<Effect.Effect.Success<typeof tasks>["orchestrator"]>>()
    const { get } = yield* Later.make(
      Effect.flatMap(tasks, (Tasks) => Effect.provide(Orchestrator, Tasks.orchestrator)).pipe(Effect.provide(context))
    )
    return Orchestrator.of({
      check: (config, kept) => Effect.flatMap(get, ({ check }) => check?.(config, kept) ?? Effect.succeed({})),
      run: (job) => Effect.flatMap(get, ({ run }) => run(job)),
      recover: (id, attempt) => Effect.flatMap(get, ({ recover }) => recover?.(id, attempt) ?? Effect.void),
      forget: (id, why) => Effect.flatMap(get, ({ forget }) => forget?.(id, why) ?? Effect.void)
    })
  })
)

/** The home with its configuration and secrets, before it is locked. */
export const configured = Secrets.layer.pipe(Layer.provideMerge(Configuration.layer), Layer.provideMerge(Home.layer))

/** The lock on the home of this process. */
export const lock = (options: HomeLock.Options) =>
  Layer.unwrapEffect(
    Effect.map(HomeDatabase.chosen, (choice) =>
      HomeLock.layer({ ...options, ...(choice._tag === "Postgres" && { database: choice.shown }) })
    )
  )

/** The home, locked by this process. */
export const home = (options: HomeLock.Options) => Layer.provideMerge(lock(options), configured)

/** The database of the home; noted in the home once the store is open, with the node that the last process there was. */
export const database = Layer.provideMerge(
  Layer.tap(Secrets.kept(RunStore.layer), () => Effect.flatMap(HomeDatabase.notedNode, HomeDatabase.leaveNote)),
  databaseClient.layer
)

export const records = Layer.provideMerge(ProcessRunner.layer, database)

/** The locked home and its records. */
export const store = (options: HomeLock.Options) => Layer.provideMerge(records, home(options))

/** The job manager, on `store`, which has to outlive it. */
export const manager = (options: Configuration.ManagerOptions) =>
  Layer.provide(Configuration.jobManager(options), orchestrator)

/**
 * Sends the configured notices until the scope closes, and returns an effect that waits for the last ones. If they cannot be sent, jobs
 * run without them.
 */
export const notices = (options: { readonly isNode: boolean }) =>
  Effect.gen(function* () {
    const { notify } = yield* Configuration.Configuration
    // The nodes of a cluster may have different names.
    if (!options.isNode) yield* background.fork(Effect.ignoreLogged(removeFormer))
    if (notify.length === 0) return Effect.void
    const Notices = yield* Effect.promise(() => import("../notices/Notices.js"))
    return yield* Notices.make.pipe(
      Effect.catchAll((error) => Effect.as(Effect.logError("notices are not sent", error), Effect.void))
    )
  })

export interface ServerOptions {
  /** Why there is no manager at the moment. */
  readonly unmanaged?: Problems
  /** The state of this process as a node of a cluster. */
  readonly node?: NodeReport | undefined
  readonly port?: Served | undefined
  /** Whether to reopen the port of pages that may still be open in a browser. */
  readonly reopenPage: boolean
  /** The cursor at which the manager started; throughput is counted from there. */
  readonly after?: number
}

/** The HTTP server: on the socket of the home, on a port if one is configured, and on the page's port once it is opened. */
export const server = ({ after, node, port, reopenPage, unmanaged = none }: ServerOptions) =>
  Layer.unwrapEffect(
    Effect.gen(function* () {
      const { logs, socket } = yield* Home.Home
      const { maxJobs = Configuration.defaultMaxJobs } = yield* Configuration.Configuration
      return Http.listen({
        listen: listenOn(socket, port),
        ...(port === undefined ? {} : { token: port.token }),
        page: yield* page(reopenPage),
        logs,
        maxJobs,
        agents: yield* agents,
        ...(after === undefined ? {} : { after }),
        ...(node && { cluster: node.gauges }),
        problems: firstOf(unmanaged, firstOf(yield* problems, node?.problems ?? none))
      })
    })
  )

const listenOn = (socket: string, port: Served | undefined): ReadonlyArray<Http.Address> => {
  if (port === undefined) return [{ socket }]
  const { token: _, ...address } = port
  return [{ socket }, address]
}

/** The agents of the current configuration, or of the initial one if the current one is invalid. */
const agents = Effect.map(Configuration.Configuration, ({ agents, current }) =>
  Effect.gen(function* () {
    const settings = yield* Effect.orElseSucceed(current, () => ({ agents }))
    const Agents = yield* Effect.promise(() => import("../../tasks/Agents.js"))
    const { found, names } = yield* Agents.make(settings.agents)
    const installed = yield* found
    return names.map((name) => ({ name, installed: installed.includes(name) }))
  })
)

const page = (reopen: boolean) =>
  Effect.gen(function* () {
    const { directory, sessions } = yield* Home.Home
    const { learn } = yield* Secrets.Secrets
    const { announcePage } = yield* HomeLock.HomeLock
    const context = yield* Effect.context<Effect.Effect.Context<typeof Secrets.token>>()
    return {
      files: pageDirectory(),
      directory,
      sessions,
      token: Effect.provide(Secrets.token, context),
      learn,
      reopen,
      onChange: announcePage
    }
  })

type Problems = Effect.Effect<ReadonlyArray<string>>

const none: Problems = Effect.succeed([])

/** Skips the database if it is already known to be unreachable. */
const firstOf = (known: Problems, others: Problems): Problems =>
  Effect.flatMap(known, (problems) => (problems.length > 0 ? Effect.succeed(problems) : others))

/** Shorter than the timeouts of clients and probes. */
const responseTimeout = "4 seconds"

/** Why jobs cannot be recorded, or why another process might manage them, too. */
const problems = Effect.gen(function* () {
  const lock = yield* HomeLock.HomeLock
  const { lock: file } = yield* Home.Home
  const { owners } = yield* RunStore.RunStore
  const { self } = yield* KernelRef
  // Changes no row, but needs what every write needs: the write lock of the database, and the right file.
  const write = owners.release({ kind: "none", id: "none", process: self })
  return Effect.gen(function* () {
    const unwritable = yield* Effect.match(write, { onFailure: ({ message }) => [message], onSuccess: () => [] }).pipe(
      // A write that waits for a connection cannot be interrupted.
      Effect.disconnect,
      Effect.timeoutTo({
        duration: responseTimeout,
        onSuccess: (problems: ReadonlyArray<string>) => problems,
        onTimeout: () => [`the database has not answered for ${responseTimeout}`]
      })
    )
    return [...unwritable, ...((yield* lock.isHeld) ? [] : [HomeLock.lost(file)])]
  })
})
