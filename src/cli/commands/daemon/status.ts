/**
 * `charlotte daemon status`: who has the home, where it listens, and whether all is well with it.
 */
import * as Command from "@effect/cli/Command"
import { Effect, Option } from "effect"
import * as LockOwner from "../../../daemon/LockOwner.js"
import * as Home from "../../../daemon/Home.js"
import * as JobClient from "../../../http/client/JobClient.js"
import * as render from "../../daemon/render.js"
import * as ExitCode from "../../errors/ExitCode.js"
import { about, json } from "../parameters.js"

export const status = Command.make("status", { json }, (manner) =>
  Effect.gen(function* () {
    const holder = yield* LockOwner.find
    const problems = Option.isSome(holder) ? yield* look(holder.value) : []
    yield* render.status({ holder, problems, token: (yield* Home.Home).token }, manner)
    if (Option.isNone(holder) || problems.length > 0) return yield* new ExitCode.Quit({ code: ExitCode.failed })
  }).pipe(Effect.provide(Home.layerUntouched))
).pipe(
  Command.withDescription(
    about(
      "Tells whether a daemon is up, or a charlotte run has the home, and whether it is well. The exit code is 0 if so, else 1.",
      "charlotte daemon status"
    )
  )
)

/** What is not well. */
const look = ({ addresses, ending }: LockOwner.LockOwner) =>
  Effect.gen(function* () {
    if (ending === true) return ["it is ending, and does not listen any more"]
    if (addresses === undefined) return ["it is starting, and does not listen yet"]
    const { socket } = yield* Home.Home
    const { ready } = yield* JobClient.make({ socket })
    yield* ready
    return []
  }).pipe(
    Effect.timeoutTo({
      duration: patience,
      onSuccess: (problems) => problems,
      onTimeout: () => ["it does not answer: it is very busy, or somebody has suspended it"]
    }),
    Effect.catchTags({
      NotReady: ({ problems }) => Effect.succeed(problems),
      DaemonNotRunning: ({ address }) => Effect.succeed([`it listens no more on ${address}: ${remedy}`])
    }),
    Effect.catchAll(({ message }) => Effect.succeed([message]))
  )

const remedy = "restart it with charlotte daemon restart"

/** How long it may take to look whether it is well. */
const patience = "5 seconds"
