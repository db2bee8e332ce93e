/**
 * Options that several commands of the daemon have.
 */
import * as HelpDoc from "@effect/cli/HelpDoc"
import * as Options from "@effect/cli/Options"
import * as ValidationError from "@effect/cli/ValidationError"
import { Effect } from "effect"
import * as ListenAddress from "../../daemon/ListenAddress.js"

export const listen = Options.text("listen").pipe(
  Options.withPseudoName("HOST:PORT"),
  Options.mapEffect((text) => {
    const port = ListenAddress.parse(text)
    return port === undefined
      ? Effect.fail(
          ValidationError.invalidValue(
            HelpDoc.p(`--listen must be a port of this machine, such as 127.0.0.1:7433, and not "${text}"`)
          )
        )
      : Effect.succeed(port)
  }),
  Options.optional,
  Options.withDescription("Serves a port of this machine as well, to those who send the token of the home.")
)
