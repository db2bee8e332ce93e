/**
 * `charlotte daemon status`: who has the home, where it listens, and whether all is well with it.
 */
import * as Command from "@effect/cli/Command"
import { Effect, Option } from "effect"
import * as Holder from "../../../daemon/Holder.js"
import * as Home from "../../../daemon/Home.js"
import * as JobClient from "../../../http/JobClient.js"
import * as Told from "../../daemon/Told.js"
import * as ExitCode from "../../ExitCode.js"
import { about, json } from "../parameters.js"

export const status = Command.make("status", { json }, (manner) =>
  Effect.gen(function* () {
    const holder = yield* Holder.find
    const problems = Option.isSome(holder) ? yield* look(holder.value) : []
    yield* Told.status({ holder, problems, token: (yield* Home.Home).token }, manner)
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
const look = ({ addresses }: Holder.Holder) =>
  Effect.gen(function* () {
    if (addresses === undefined) return ["it is starting, or ending, and does not listen"]
    const { socket } = yield* Home.Home
    const { ready } = yield* JobClient.make({ socket })
    yield* ready
    return []
  }).pipe(Effect.catchAll((error) => Effect.succeed(error._tag === "NotReady" ? error.problems : [error.message])))
