/**
 * `charlotte daemon stop`: ends the daemon; its jobs go on when it is started again.
 */
import * as Command from "@effect/cli/Command"
import { Effect } from "effect"
import * as Home from "../../../daemon/Home.js"
import * as shutDown from "../../daemon/shutDown.js"
import * as render from "../../daemon/render.js"
import { about, json } from "../parameters.js"

export const stop = Command.make("stop", { json }, (manner) =>
  Effect.flatMap(shutDown.down, (ended) => render.down(ended, manner)).pipe(Effect.provide(Home.layerUntouched))
).pipe(
  Command.withDescription(
    about(
      "Ends the daemon and returns when it is over, within seconds. Its jobs are interrupted, and go on when it is started again.",
      "charlotte daemon stop"
    )
  )
)
