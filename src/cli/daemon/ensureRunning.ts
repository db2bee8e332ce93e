/**
 * Ensures that a daemon is running in the home.
 */
import type { FileSystem } from "@effect/platform/FileSystem"
import type { Path } from "@effect/platform/Path"
import { Effect, FiberRef, LogLevel, Option } from "effect"
import * as DatabaseChoice from "../../daemon/config/DatabaseChoice.js"
import * as LockOwner from "../../daemon/home/LockOwner.js"
import { Home } from "../../daemon/home/Home.js"
import { Problem } from "../../daemon/Problem.js"
import * as NodeSettings from "../../daemon/config/NodeSettings.js"
import * as JobClient from "../../http/client/JobClient.js"
import { RealClock } from "../../internal/RealClock.js"
import * as ExitCode from "../errors/ExitCode.js"
import * as Service from "../service/Service.js"
import { Output } from "../terminal/Output.js"
import { ensureResponding, type NotResponding } from "./ensureResponding.js"
import * as spawnDaemon from "./spawnDaemon.js"
import type { Settings } from "../../daemon/config/PortSettings.js"
import { isAt, type Port } from "./ListenAddress.js"

export interface Options {
  readonly database: Option.Option<DatabaseChoice.DatabaseChoice>
  readonly listen: Option.Option<Port>
  /** The settings of that port. */
  readonly port: Settings
  readonly node: NodeSettings.NodeSettings
  /** Whether to continue the jobs of a home that was exported. */
  readonly again?: boolean
  readonly json: boolean
}

/** A daemon is running, but not as requested. */
const differs = (name: string, holder: LockOwner.LockOwner, is: string, option: string, details: object) =>
  new Problem({
    name,
    problem: `${holder} ${is}`,
    hint: `restart it with: charlotte daemon restart ${option}`,
    exitCode: ExitCode.failed,
    details: { holder, ...details }
  })

const again = "--again"

export interface Up {
  readonly holder: LockOwner.LockOwner
  /** Whether this call has started it. */
  readonly isNew: boolean
}

/** How long the daemon of another process may take to become ready, in milliseconds of real time. */
const startTimeout = 30_000
const pause = 20

/** How often a start may lose the lock to a process that leaves no note. */
const enough = 3

/** Prints the error of a daemon that cannot start, and quits with its exit code. */
export const up = (
  options: Options
): Effect.Effect<Up, ExitCode.Quit | LockOwner.HomeBusy | NotResponding | Problem, FileSystem | Home | Output | Path> =>
  Effect.catchTag(find(options), "NotStarted", ({ code, text }) =>
    Effect.flatMap(Output, ({ error }) => Effect.zipRight(error(text), new ExitCode.Quit({ code })))
  )

const find = (options: Options) =>
  Effect.gen(function* () {
    const { now, sleep } = yield* RealClock
    const { directory, socket } = yield* Home
    let seen: { readonly who: string; readonly deadline: number } | undefined
    let isNew = false
    let lost = 0
    for (;;) {
      const found = yield* LockOwner.find
      const holder = Option.getOrUndefined(found)
      if (holder?.what === "run") return yield* new LockOwner.HomeBusy({ directory, holder })
      if (holder?.addresses !== undefined) {
        if (!isNew) yield* Effect.zipRight(probe(socket, holder), refuseOther(holder, options))
        return yield* listening(holder, isNew, options)
      }
      if (holder === undefined) {
        const service = yield* refuseWithService(options)
        const level = yield* FiberRef.get(FiberRef.currentMinimumLogLevel)
        const tried = yield* Effect.either(service ? Service.start : spawnDaemon.launch(commandLine(options, level)))
        isNew = tried._tag === "Right"
        // Another process was faster; the next round finds it, or it has exited.
        if (tried._tag === "Left" && (tried.left.code !== ExitCode.busy || ++lost === enough)) return yield* tried.left
        continue
      }
      const who = `${holder.process.pid} ${+holder.since}`
      if (seen?.who !== who) seen = { who, deadline: (yield* now) + startTimeout }
      if ((yield* now) > seen.deadline) return yield* new LockOwner.HomeBusy({ directory, holder })
      yield* sleep(pause)
    }
  })

/** Whether the daemon of the home is a service; fails if it is, and would have to be started with other options. */
export const refuseWithService = (options: Options) =>
  Effect.gen(function* () {
    const service = yield* Service.installed
    if (Option.isNone(service)) return false
    const given = words({ ...options, json: false }, LogLevel.None)
    if (given.length === 0) return true
    const unit = service.value.file
    const install = `charlotte daemon install ${given.filter((option) => option !== again).join(" ")}`
    return yield* new Problem({
      name: "ServiceHasOptions",
      problem: `the daemon is a service, started as ${unit} says`,
      hint: given.includes(again)
        ? `for this once, start it with: charlotte daemon start --foreground ${given.join(" ")}`
        : `change that with: ${install}`,
      details: { unit, options: given }
    })
  })

/** Skips the check if the client cannot be created: the daemon may still respond. */
const probe = (socket: string, holder: LockOwner.LockOwner) =>
  JobClient.make({ socket }).pipe(
    Effect.option,
    Effect.flatMap(Effect.transposeMapOption((client) => ensureResponding(holder, client))),
    Effect.scoped
  )

/** Without these options, any daemon will do. */
const refuseOther = (holder: LockOwner.LockOwner, { database, node: { advertise } }: Options) =>
  Effect.gen(function* () {
    if (advertise !== undefined && holder.node?.advertise !== advertise) {
      const { node } = holder
      const is = node === undefined ? "is not a node of a cluster" : `is the node ${node.advertise} of a cluster`
      return yield* differs("OtherNode", holder, is, `--advertise ${advertise}`, { requested: advertise })
    }
    if (Option.isNone(database)) return
    const requested = DatabaseChoice.show(database.value)
    const { database: used = DatabaseChoice.show(DatabaseChoice.sqlite) } = holder
    if (used !== requested) {
      return yield* differs("OtherDatabase", holder, `works on ${used}`, `--database ${requested}`, { used, requested })
    }
  })

const listening = (holder: LockOwner.LockOwner, isNew: boolean, { listen }: Options) => {
  const isListening = (wanted: Port) => holder.addresses?.some((address) => isAt(wanted, address)) === true
  if (isNew || Option.isNone(listen) || isListening(listen.value)) return Effect.succeed({ holder, isNew })
  const address = LockOwner.show(listen.value)
  return differs("NotListening", holder, `is not listening on ${address}`, `--listen ${address}`, { address })
}

/** The command line of the daemon. */
export const commandLine = (options: Options, level: LogLevel.LogLevel): ReadonlyArray<string> => [
  "daemon",
  "start",
  "--foreground",
  ...words(options, level)
]

const words = ({ again = false, database, json, listen, node, port }: Options, level: LogLevel.LogLevel) =>
  NodeSettings.words({
    again,
    listen: Option.getOrUndefined(Option.map(listen, LockOwner.show)),
    ...port,
    // Without a password, which the command line refuses.
    database: Option.getOrUndefined(Option.map(database, DatabaseChoice.show)),
    ...node,
    json,
    logLevel: level === LogLevel.None ? undefined : level._tag.toLowerCase()
  })
