/**
 * Options that several commands of the daemon have.
 */
import * as HelpDoc from "@effect/cli/HelpDoc"
import * as Options from "@effect/cli/Options"
import * as ValidationError from "@effect/cli/ValidationError"
import { Effect } from "effect"

const pattern = /^(?:(127\.0\.0\.1|localhost|\[::1\]):)?(\d{1,5})$/

export const listen = Options.text("listen").pipe(
  Options.withPseudoName("HOST:PORT"),
  Options.mapEffect((text) => {
    const [, host = "127.0.0.1", digits] = pattern.exec(text) ?? []
    const port = Number(digits)
    return port <= 65_535
      ? Effect.succeed({ host: host.replace(/[[\]]/g, ""), port })
      : Effect.fail(
          ValidationError.invalidValue(
            HelpDoc.p(`--listen must be a port of this machine, such as 127.0.0.1:7433, and not "${text}"`)
          )
        )
  }),
  Options.optional,
  Options.withDescription("Serves a port of this machine as well, to those who send the token of the home.")
)
