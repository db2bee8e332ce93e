/**
 * `charlotte daemon start`: a manager of jobs that outlives the terminal.
 */
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import { Effect } from "effect"
import * as Home from "../../../daemon/Home.js"
import * as Foreground from "../../daemon/Foreground.js"
import * as Told from "../../daemon/Told.js"
import * as Up from "../../daemon/Up.js"
import { about, json } from "../parameters.js"
import { listen } from "./parameters.js"

const foreground = Options.boolean("foreground").pipe(
  Options.withDescription("Stays in the foreground, for a supervisor such as systemd.")
)

export const start = Command.make("start", { foreground, listen, json }, ({ foreground, ...options }) =>
  Effect.if(foreground, { onTrue: () => Foreground.stay(options), onFalse: () => background(options) })
).pipe(
  Command.withDescription(
    about(
      "Starts the daemon and returns when it takes jobs. It goes on with those that were interrupted. When one is up already, it says so.",
      "charlotte daemon start"
    )
  )
)

const background = (options: Up.Options) =>
  Effect.flatMap(Up.up(options), (up) => Told.up(up, options)).pipe(Effect.provide(Home.layer))
