/**
 * Where commands find jobs: in the process that holds the home, through its socket, or else in the database.
 */
import type { FileSystem } from "@effect/platform/FileSystem"
import { Effect, Option, type Scope } from "effect"
import * as LockOwner from "../daemon/LockOwner.js"
import * as Home from "../daemon/Home.js"
import * as JobClient from "../http/client/JobClient.js"
import { poll } from "../internal/RealClock.js"
import { ensureResponding, type NotResponding } from "./daemon/ensureResponding.js"
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

/** The process that holds the home, if there is one; it responds. */
export const host: Effect.Effect<Option.Option<Host>, Failure, Environment> = Effect.gen(function* () {
  const { directory, socket } = yield* Home.Home
  const holder = yield* waitForHolder
  if (Option.isNone(holder)) return Option.none()
  const { addresses, what } = holder.value
  if (addresses === undefined) return yield* new LockOwner.HomeBusy({ directory, holder: holder.value })
  const client = yield* JobClient.make({ socket })
  yield* ensureResponding(holder.value, client)
  return Option.some({ client: yield* slowResponseNotice.withNotice(client, holder.value), what })
})

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

/** Read access to jobs, whichever process holds the home. */
export const read = Effect.flatMap(host, (host) =>
  Option.isSome(host) ? Effect.succeed<Jobs>(host.value.client) : recorded
)
