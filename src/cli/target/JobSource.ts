/**
 * Where commands find jobs: at the server that the command line or the environment names, or at the process that holds the home,
 * through its socket, or else in the database.
 */
import type { FileSystem } from "@effect/platform/FileSystem"
import { Effect, Option, type Scope } from "effect"
import * as LockOwner from "../../daemon/home/LockOwner.js"
import * as Home from "../../daemon/home/Home.js"
import type { Problem } from "../../daemon/Problem.js"
import * as JobClient from "../../http/client/JobClient.js"
import { ConnectionFailed } from "../../http/contract/errors.js"
import { poll } from "../../internal/RealClock.js"
import { ensureResponding, type NotResponding, withTimeLimit } from "../daemon/ensureResponding.js"
import type { Output } from "../terminal/Output.js"
import type { Jobs, Manager } from "../offline/OfflineJobs.js"
import * as RemoteServer from "./RemoteServer.js"
import * as slowResponseNotice from "./slowResponseNotice.js"

export type { Jobs, Manager }

/** A process that runs jobs: the holder of the home, or a server on another machine. */
export interface Host {
  readonly client: JobClient.Service
  readonly isRemote: boolean
  /** A daemon accepts jobs; a `run` exits with its own job. */
  readonly what: LockOwner.LockOwner["what"]
}

type Failure = Home.HomeUnusable | LockOwner.HomeBusy | NotResponding | JobClient.ClientError | Problem

type Environment = Home.Home | FileSystem | Output | Scope.Scope

const waitForHolder: Effect.Effect<Option.Option<LockOwner.LockOwner>, never, Environment> = poll(LockOwner.find, {
  until: (holder) => Option.isNone(holder) || holder.value.addresses !== undefined,
  pause: "20 millis",
  // How long a process may take from locking the home to listening.
  atMost: "5 seconds"
})

interface Connection {
  readonly client: JobClient.Service
  readonly holder: LockOwner.LockOwner
}

/** The connection to the process that holds the home, if there is one. */
const connection: Effect.Effect<Option.Option<Connection>, Failure, Environment> = Effect.gen(function* () {
  const { directory, socket } = yield* Home.Home
  const holder = yield* waitForHolder
  if (Option.isNone(holder)) return Option.none()
  if (holder.value.addresses === undefined) return yield* new LockOwner.HomeBusy({ directory, holder: holder.value })
  return Option.some({ client: yield* JobClient.make({ socket }), holder: holder.value })
})

/** The server on another machine, if one is named. */
const remote = Effect.flatMap(RemoteServer.target, Effect.transposeMapOption(JobClient.make))

/** Includes the time to connect. */
const remotePatience = "10 seconds"

/** Checked first, since later requests have no time limit: a stop takes as long as its job. */
const ensureReachable = ({ address, health }: JobClient.Service) =>
  Effect.timeoutFail(health, {
    duration: remotePatience,
    onTimeout: () => new ConnectionFailed({ address, problem: `no response for ${remotePatience}` })
  })

const ofHome: Effect.Effect<Option.Option<Host>, Failure, Environment> = Effect.flatMap(
  connection,
  Effect.transposeMapOption(({ client, holder }) =>
    Effect.gen(function* () {
      yield* ensureResponding(holder, client)
      return { client: yield* slowResponseNotice.withNotice(client, holder), isRemote: false, what: holder.what }
    })
  )
)

/** The named server, or the process that holds the home, if there is one; it has been checked to respond. */
export const host: Effect.Effect<Option.Option<Host>, Failure, Environment> = Effect.flatMap(remote, (found) =>
  Option.isNone(found)
    ? ofHome
    : Effect.gen(function* () {
        yield* ensureReachable(found.value)
        const client = yield* slowResponseNotice.withNotice(found.value, found.value.address)
        return Option.some({ client, isRemote: true, what: "daemon" as const })
      })
)

/** The daemon; a foreground run does not accept further jobs. */
export const daemon: Effect.Effect<Option.Option<Host>, Failure, Environment> = Effect.tap(host, (host) =>
  Option.exists(host, ({ what }) => what === "run")
    ? Effect.gen(function* () {
        const { directory } = yield* Home.Home
        return yield* new LockOwner.HomeBusy({ directory, holder: Option.getOrUndefined(yield* LockOwner.find) })
      })
    : Effect.void
)

/** The jobs in the database of a home that no process holds. SQLite is loaded only then. */
export const recorded = Effect.flatMap(
  Effect.promise(() => import("../offline/OfflineJobs.js")),
  ({ open }) => open
)

const queries = ({ client, holder }: Connection): Jobs => ({
  list: (query) => withTimeLimit(holder, client)(client.list(query)),
  get: (id) => withTimeLimit(holder, client)(client.get(id)),
  step: (id, name) => withTimeLimit(holder, client)(client.step(id, name)),
  diff: client.diff,
  events: client.events,
  export: client.export
})

const readHome = Effect.flatMap(connection, (found) =>
  Option.isSome(found) ? Effect.succeed(queries(found.value)) : recorded
)

/** Read access to the jobs of the named server, or of the home, through the process that holds it, if any. */
export const read = Effect.flatMap(remote, (found) =>
  Option.isSome(found) ? Effect.succeed<Jobs>(found.value) : readHome
)

/**
 * The server for logs that may be on other machines: the named server, or the process that holds the home, if its database may be shared
 * by several machines. Otherwise, all logs are in the home.
 */
export const logServer = Effect.flatMap(remote, (found) =>
  Option.isSome(found)
    ? Effect.succeed(found)
    : Effect.map(connection, (found) =>
        Option.map(
          Option.filter(found, ({ holder }) => holder.what === "daemon" && holder.database !== undefined),
          ({ client }) => client
        )
      )
)
