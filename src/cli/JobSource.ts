/**
 * Where commands find jobs: in the process that holds the home, through its socket, or else in the database.
 */
import type { FileSystem } from "@effect/platform/FileSystem"
import { Effect, Option, type Scope } from "effect"
import * as LockOwner from "../daemon/LockOwner.js"
import * as Home from "../daemon/Home.js"
import * as JobClient from "../http/client/JobClient.js"
import { poll } from "../internal/RealClock.js"
import { ensureResponding, type NotResponding, withTimeLimit } from "./daemon/ensureResponding.js"
import type { Output } from "./terminal/Output.js"
import type { Jobs, Manager } from "./offline/OfflineJobs.js"
import * as slowResponseNotice from "./slowResponseNotice.js"

export type { Jobs, Manager }

/** A process that holds the home and runs jobs. */
export interface Host {
  readonly client: JobClient.Service
  /** A daemon accepts jobs; a `run` exits with its own job. */
  readonly what: LockOwner.LockOwner["what"]
}

type Failure = Home.HomeUnusable | LockOwner.HomeBusy | NotResponding | JobClient.ClientError

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

/** To the process that holds the home, if there is one. */
const connection: Effect.Effect<Option.Option<Connection>, Failure, Environment> = Effect.gen(function* () {
  const { directory, socket } = yield* Home.Home
  const holder = yield* waitForHolder
  if (Option.isNone(holder)) return Option.none()
  if (holder.value.addresses === undefined) return yield* new LockOwner.HomeBusy({ directory, holder: holder.value })
  return Option.some({ client: yield* JobClient.make({ socket }), holder: holder.value })
})

/** The process that holds the home, if there is one; it responds. */
export const host: Effect.Effect<Option.Option<Host>, Failure, Environment> = Effect.flatMap(
  connection,
  Effect.transposeMapOption(({ client, holder }) =>
    Effect.gen(function* () {
      yield* ensureResponding(holder, client)
      return { client: yield* slowResponseNotice.withNotice(client, holder), what: holder.what }
    })
  )
)

/** The daemon; a foreground run does not accept further jobs. */
export const daemon: Effect.Effect<Option.Option<JobClient.Service>, Failure, Environment> = Effect.flatMap(
  host,
  Option.match({
    onNone: () => Effect.succeedNone,
    onSome: ({ client, what }) =>
      what === "daemon"
        ? Effect.succeedSome(client)
        : Effect.gen(function* () {
            const { directory } = yield* Home.Home
            return yield* new LockOwner.HomeBusy({ directory, holder: Option.getOrUndefined(yield* LockOwner.find) })
          })
  })
)

/** The jobs in the database of a home that no process holds. SQLite is loaded only then. */
export const recorded = Effect.flatMap(
  Effect.promise(() => import("./offline/OfflineJobs.js")),
  ({ open }) => open
)

const queries = ({ client, holder }: Connection): Jobs => ({
  list: (query) => withTimeLimit(holder, client)(client.list(query)),
  get: (id) => withTimeLimit(holder, client)(client.get(id)),
  diff: client.diff,
  events: client.events,
  export: client.export
})

/** Read access to jobs, whichever process holds the home. */
export const read = Effect.flatMap(connection, (found) =>
  Option.isSome(found) ? Effect.succeed(queries(found.value)) : recorded
)
