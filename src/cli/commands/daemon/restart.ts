/**
 * `charlotte daemon restart`: replaces the daemon by one of this version, which resumes its jobs.
 */
import { Effect, Option } from "effect"
import type { LockOwner } from "../../../daemon/LockOwner.js"
import * as Home from "../../../daemon/Home.js"
import * as ensureRunning from "../../daemon/ensureRunning.js"
import type { Port } from "../../daemon/ListenAddress.js"
import * as render from "../../daemon/render.js"
import * as shutDown from "../../daemon/shutDown.js"
import * as CommandTree from "../../parser/CommandTree.js"
import { json } from "../parameters.js"
import { listen } from "./parameters.js"

export const restart = CommandTree.command(
  {
    description:
      "Shut down the daemon, if one is running, and start it again, on the same port if it had one. Its jobs are interrupted and resumed.",
    example: "charlotte daemon restart",
    parameters: { listen, json }
  },
  ({ json, listen }) =>
    Effect.gen(function* () {
      const before = yield* shutDown.down
      const up = yield* ensureRunning.up({ listen: Option.orElse(listen, () => Option.flatMap(before, port)), json })
      yield* render.up(up, { json })
    }).pipe(Effect.provide(Home.layer))
)

const port = ({ addresses = [] }: LockOwner): Option.Option<Port> =>
  Option.fromNullable(
    addresses.flatMap((address) =>
      "port" in address ? [{ host: address.host ?? "127.0.0.1", port: address.port }] : []
    )[0]
  )
