/**
 * `charlotte daemon restart`: a daemon of this version, with the jobs of the one before.
 */
import * as Command from "@effect/cli/Command"
import { Effect, Option } from "effect"
import type { LockOwner } from "../../../daemon/LockOwner.js"
import * as Home from "../../../daemon/Home.js"
import * as shutDown from "../../daemon/shutDown.js"
import type { Port } from "../../daemon/ListenAddress.js"
import * as render from "../../daemon/render.js"
import * as ensureRunning from "../../daemon/ensureRunning.js"
import { about, json } from "../parameters.js"
import { listen } from "./parameters.js"

export const restart = Command.make("restart", { listen, json }, ({ json, listen }) =>
  Effect.gen(function* () {
    const before = yield* shutDown.down
    const up = yield* ensureRunning.up({ listen: Option.orElse(listen, () => Option.flatMap(before, port)), json })
    yield* render.up(up, { json })
  }).pipe(Effect.provide(Home.layer))
).pipe(
  Command.withDescription(
    about(
      "Ends the daemon, if one is up, and starts it again, on the same port if it had one. Its jobs go on where they were.",
      "charlotte daemon restart"
    )
  )
)

const port = ({ addresses = [] }: LockOwner): Option.Option<Port> =>
  Option.fromNullable(
    addresses.flatMap((address) =>
      "port" in address ? [{ host: address.host ?? "127.0.0.1", port: address.port }] : []
    )[0]
  )
