/**
 * The note in a home that identifies its holder, for the user and for commands, which can read it without loading anything else. The
 * lock alone decides which process holds the home.
 */
import { DateTime, Effect, Option, Schema } from "effect"
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { bracketed } from "../../internal/HostPort.js"
import { KernelRef } from "../../internal/ProcessIdentity.js"
import { Home } from "./Home.js"
import { NodeSettings } from "../config/NodeSettings.js"
import { Settings } from "../config/PortSettings.js"

/** A unix socket, or a port; a port with TLS, or that other machines can reach, has a URL. */
export const Address = Schema.Union(
  Schema.Struct({ socket: Schema.String }),
  Schema.Struct({ port: Schema.Int, host: Schema.optional(Schema.String), url: Schema.optional(Schema.String) })
)
export type Address = typeof Address.Type

/** For messages. */
export const show = (address: Address): string => {
  if ("socket" in address) return address.socket
  const { host = "127.0.0.1", port, url } = address
  return url ?? `${bracketed(host)}:${port}`
}

/** The holder of a home. */
export class LockOwner extends Schema.Class<LockOwner>("charlotte/LockOwner")({
  what: Schema.Literal("run", "daemon"),
  version: Schema.String,
  since: Schema.DateTimeUtc,
  process: Schema.Struct({
    pid: Schema.Int,
    bootId: Schema.String,
    startTime: Schema.String,
    pidNamespace: Schema.String
  }),
  /** Identifies the locked file. */
  file: Schema.String,
  /** Its database, if that is not the SQLite file of the home. */
  database: Schema.optional(Schema.String),
  /** The settings of its port from its command line. */
  port: Schema.optional(Settings),
  /** If it is a node of a cluster: its address for other nodes, and the settings from its command line. */
  node: Schema.optional(Schema.Struct({ advertise: Schema.String, flags: NodeSettings })),
  /** The addresses on which it listens, while it does. */
  addresses: Schema.optional(Schema.Array(Address)),
  /** Where the page is served, or why it is not. */
  page: Schema.optional(
    Schema.Struct({ origin: Schema.optional(Schema.String), problem: Schema.optional(Schema.String) })
  ),
  /** It no longer listens, and will release the home soon. */
  ending: Schema.optional(Schema.Boolean)
}) {
  override toString(): string {
    const since = DateTime.formatIso(this.since).replace(/\.\d+/, "")
    return `charlotte ${this.what} (pid ${this.process.pid}, version ${this.version}) since ${since}`
  }
}

/** Another process holds the home; nothing was changed. */
export class HomeBusy extends Schema.TaggedError<HomeBusy>()("HomeBusy", {
  directory: Schema.String,
  /** Missing if it has not written its note. */
  holder: Schema.optional(LockOwner)
}) {
  override get message() {
    const { directory, holder } = this
    const other = "or set CHARLOTTE_HOME to another directory"
    if (holder === undefined) return `${directory} is in use by another process; wait until it has exited, ${other}`
    const out =
      holder.what === "run"
        ? "wait until it has exited and start a daemon, which takes several jobs: charlotte daemon start;"
        : "shut it down with charlotte daemon stop,"
    return `${directory} is in use by ${holder}; ${out} ${other}`
  }
}

/** The note of a home; it may be stale after a crash. */
export const note: Effect.Effect<Option.Option<LockOwner>, never, Home> = Effect.flatMap(Home, ({ holder }) =>
  Effect.option(
    Effect.flatMap(
      Effect.try(() => readFileSync(holder, "utf8")),
      Schema.decode(Schema.parseJson(LockOwner))
    )
  )
)

/** The same, if that process is or may be alive: one in another container is unknown. */
export const find: Effect.Effect<Option.Option<LockOwner>, never, Home> = Effect.gen(function* () {
  const { isAlive } = yield* KernelRef
  const named = yield* note
  return Option.isSome(named) && (yield* isAlive(named.value.process)) ? named : Option.none()
})

/**
 * Atomic: readers find the whole note or none. Only the holder of the lock writes here. Synchronous, since other processes wait for
 * it.
 */
export const write = (holder: LockOwner) =>
  Effect.flatMap(Home, (home) =>
    Effect.try(() => {
      const note: typeof LockOwner.Encoded = { ...holder, since: DateTime.formatIso(holder.since) }
      writeFileSync(`${home.holder}.new`, JSON.stringify(note), { mode: 0o600 })
      renameSync(`${home.holder}.new`, home.holder)
    })
  )

/** As `write`, but only logs a failure: without the note, later processes only get a less specific error. */
export const leave = (holder: LockOwner) =>
  Effect.catchAll(write(holder), ({ error }) => Effect.logWarning("could not write the note of the lock owner", error))

export const remove = Effect.flatMap(Home, ({ holder }) => Effect.ignore(Effect.try(() => rmSync(holder))))
