/**
 * All that jobs of tasks run on, in a home directory: what the daemon is, and what a single `charlotte run` is for as long as
 * its job takes.
 */
import { Effect, Either, Layer, type Redacted } from "effect"
import * as Http from "../http/Server.js"
import * as Database from "../store/Database.js"
import { KernelRef } from "../store/ProcessIdentity.js"
import * as RunStore from "../store/RunStore.js"
import * as Git from "../tasks/Git.js"
import * as ProcessRunner from "../tasks/ProcessRunner.js"
import * as TaskOrchestrator from "../tasks/TaskOrchestrator.js"
import * as Configuration from "./Configuration.js"
import * as Home from "./Home.js"
import * as HomeLock from "./HomeLock.js"
import * as Secrets from "./Secrets.js"

const database = Layer.unwrapEffect(Effect.map(Home.Home, ({ database }) => Database.layer({ filename: database })))

const orchestrator = Layer.unwrapEffect(
  Effect.map(Effect.all([Home.Home, Secrets.Secrets]), ([{ directory }, { text }]) =>
    TaskOrchestrator.layer({ directory, hide: text })
  )
)

const settings = Layer.merge(Git.layer, Configuration.agents).pipe(Layer.provideMerge(Configuration.layer))

/** What a job would be checked against, for who only wants to know: nothing is made or changed. */
export const check = Layer.merge(RunStore.layerMemory, settings).pipe(Layer.provideMerge(Home.layerUntouched))

/** The home is this process's alone. */
export const home = (options: HomeLock.Options) =>
  HomeLock.layer(options).pipe(
    Layer.provideMerge(Secrets.layer),
    Layer.provideMerge(settings),
    Layer.provideMerge(Home.layer)
  )

/** What is recorded in the home is open. */
export const records = ProcessRunner.layer.pipe(
  Layer.provideMerge(Secrets.kept(RunStore.layer)),
  Layer.provideMerge(database)
)

/** Both. */
export const store = (options: HomeLock.Options) => Layer.provideMerge(records, home(options))

/** The manager of the jobs; on `store`, which is to outlive it. */
export const manager = (options: Configuration.ManagerOptions) =>
  Layer.provide(Configuration.jobManager(options), orchestrator)

/** A port of this machine, and what its clients have to show. */
export interface Port {
  readonly host: string
  readonly port: number
  readonly token: Redacted.Redacted
}

/** The server through which the jobs of the manager are reached: on the socket of the home, and on a port if one is given. */
export const server = (port?: Port) =>
  Layer.unwrapEffect(
    Effect.gen(function* () {
      const { logs, socket } = yield* Home.Home
      const { maxJobs = Configuration.defaultMaxJobs } = yield* Configuration.Configuration
      return Http.listen({
        listen: port === undefined ? { socket } : [{ socket }, { host: port.host, port: port.port }],
        ...(port === undefined ? {} : { token: port.token }),
        logs,
        maxJobs,
        problems: yield* problems
      })
    })
  )

/** What keeps jobs from being recorded, or this process from being the only one that works on them. */
const problems = Effect.gen(function* () {
  const lock = yield* HomeLock.HomeLock
  const { lock: file } = yield* Home.Home
  const { owners } = yield* RunStore.RunStore
  const { self } = yield* KernelRef
  // It changes nothing, and yet it takes all that a change does: the database, alone, and the file of that name.
  const write = owners.release({ kind: "nobody's", id: "none", process: self })
  return Effect.gen(function* () {
    const unwritable = yield* Effect.either(write)
    return [
      ...(Either.isLeft(unwritable) ? [unwritable.left.message] : []),
      ...((yield* lock.isHeld) ? [] : [HomeLock.lost(file)])
    ]
  })
})
