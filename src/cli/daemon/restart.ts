/**
 * `charlotte daemon restart`: replaces the daemon by one of this version, which resumes its jobs.
 */
import { Effect, Option } from "effect"
import type { LockOwner } from "../../daemon/LockOwner.js"
import * as Home from "../../daemon/Home.js"
import * as ensureRunning from "./ensureRunning.js"
import type { Port } from "./ListenAddress.js"
import * as render from "./render.js"
import * as shutDown from "./shutDown.js"

export const restart = ({ database, json, listen }: ensureRunning.Options) =>
  Effect.gen(function* () {
    const before = yield* shutDown.down
    const up = yield* ensureRunning.up({
      database,
      listen: Option.orElse(listen, () => Option.flatMap(before, port)),
      json
    })
    yield* render.up(up, { json })
  }).pipe(Effect.provide(Home.layer))

const port = ({ addresses = [] }: LockOwner): Option.Option<Port> =>
  Option.fromNullable(
    addresses.flatMap((address) =>
      "port" in address ? [{ host: address.host ?? "127.0.0.1", port: address.port }] : []
    )[0]
  )
