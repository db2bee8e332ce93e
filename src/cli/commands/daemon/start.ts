/**
 * `charlotte daemon start`: a manager of jobs that outlives the terminal.
 */
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as Start from "../../daemon/start.js"
import { about, json } from "../parameters.js"
import { listen } from "./parameters.js"

const foreground = Options.boolean("foreground").pipe(
  Options.withDescription("Stays in the foreground, for a supervisor such as systemd.")
)

export const start = Command.make("start", { foreground, listen, json }, Start.start).pipe(
  Command.withDescription(
    about(
      "Starts the daemon and returns when it takes jobs. It goes on with those that were interrupted. When one is up already, it says so.",
      "charlotte daemon start"
    )
  )
)
