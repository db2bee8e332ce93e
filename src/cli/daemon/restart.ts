/**
 * `charlotte daemon restart`: replaces the daemon with one of this version, which resumes its jobs.
 */
import { Effect, Option } from "effect"
import * as Configuration from "../../daemon/config/Configuration.js"
import * as Home from "../../daemon/home/Home.js"
import * as LockOwner from "../../daemon/home/LockOwner.js"
import * as ServedPort from "../../daemon/serve/ServedPort.js"
import * as ensureRunning from "./ensureRunning.js"
import type { Port } from "./ListenAddress.js"
import * as settingsOf from "./settings.js"
import * as render from "./render.js"
import * as shutDown from "./shutDown.js"

export type Options = Omit<ensureRunning.Options, "node" | "port"> & settingsOf.Given

export const restart = ({ database, json, ...given }: Options) =>
  Effect.gen(function* () {
    // A service has its options in its unit, also where another daemon is running.
    const isService = yield* ensureRunning.refuseWithService({
      database,
      listen: given.listen,
      node: settingsOf.ofNode(given),
      port: settingsOf.ofPort(given),
      json
    })
    const before = isService ? Option.none<LockOwner.LockOwner>() : yield* LockOwner.find
    const asBefore = Option.isNone(given.listen) ? Option.getOrUndefined(before)?.port : undefined
    const settings = { ...asBefore, ...settingsOf.ofPort(given) }
    const listen = Option.orElse(given.listen, () => Option.flatMap(before, port))
    // Check first, so that a daemon that could not start again is not shut down.
    if (Option.isSome(listen)) {
      yield* Effect.provide(ServedPort.check(listen.value, settings), Configuration.layer)
    }
    const node = { ...Option.getOrUndefined(before)?.node?.flags, ...settingsOf.ofNode(given) }
    yield* shutDown.down
    yield* render.up(yield* ensureRunning.up({ database, listen, node, port: settings, json }), { json })
  }).pipe(Effect.provide(Home.layer))

const port = ({ addresses = [] }: LockOwner.LockOwner): Option.Option<Port> =>
  Option.fromNullable(
    addresses.flatMap((address) =>
      "port" in address ? [{ host: address.host ?? "127.0.0.1", port: address.port }] : []
    )[0]
  )
