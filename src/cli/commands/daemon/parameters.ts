/**
 * Options that several daemon commands share.
 */
import { Either } from "effect"
import * as ListenAddress from "../../daemon/ListenAddress.js"
import * as Parameter from "../../parser/Parameter.js"

export const listen = Parameter.option(
  "listen",
  {
    placeholder: "HOST:PORT",
    description: "Also listen on a loopback port, for clients that send the home's token."
  },
  (text) =>
    Either.fromNullable(ListenAddress.parse(text), () => "a loopback address with a port, such as 127.0.0.1:7433")
)
