/**
 * `charlotte daemon status`: what holds the home, where it listens, and whether it is ready.
 */
import { Effect, Option } from "effect"
import * as LockOwner from "../../../daemon/LockOwner.js"
import * as Home from "../../../daemon/Home.js"
import * as JobClient from "../../../http/client/JobClient.js"
import * as render from "../../daemon/render.js"
import * as ExitCode from "../../errors/ExitCode.js"
import * as CommandTree from "../../parser/CommandTree.js"
import { json } from "../parameters.js"

export const status = CommandTree.command(
  {
    description:
      "Show whether a daemon (or a charlotte run) holds the home, and whether it is ready. Exits with 0 if it is ready, 69 if nothing is running, and 1 otherwise.",
    example: "charlotte daemon status",
    parameters: { json }
  },
  (manner) =>
    Effect.gen(function* () {
      const holder = yield* LockOwner.find
      const problems = Option.isSome(holder) ? yield* check(holder.value) : []
      yield* render.status({ holder, problems, token: (yield* Home.Home).token }, manner)
      if (Option.isNone(holder)) return yield* new ExitCode.Quit({ code: ExitCode.unavailable })
      if (problems.length > 0) return yield* new ExitCode.Quit({ code: ExitCode.failed })
    }).pipe(Effect.provide(Home.layerUntouched))
)

/** Why it is not ready. */
const check = ({ addresses, ending }: LockOwner.LockOwner) =>
  Effect.gen(function* () {
    if (ending === true) return ["shutting down; not listening any more"]
    if (addresses === undefined) return ["starting; not listening yet"]
    const { socket } = yield* Home.Home
    const { ready } = yield* JobClient.make({ socket })
    yield* ready
    return []
  }).pipe(
    Effect.timeoutTo({
      duration: patience,
      onSuccess: (problems) => problems,
      onTimeout: () => ["not responding: it is overloaded or suspended"]
    }),
    Effect.catchTags({
      NotReady: ({ problems }) => Effect.succeed(problems),
      DaemonNotRunning: ({ address }) =>
        Effect.succeed([`not listening on ${address} any more; restart it with: charlotte daemon restart`])
    }),
    Effect.catchAll(({ message }) => Effect.succeed([message]))
  )

const patience = "5 seconds"
