/**
 * The daemon that `--server` or `CHARLOTTE_SERVER` names, in place of that of the home.
 */
import { Config, Context, Effect, Option, Redacted, Schema } from "effect"
import type { FileUnusable } from "../daemon/SecretFile.js"
import type { RemoteTarget } from "../http/client/JobClient.js"
import { isLoopback } from "../internal/HostPort.js"

/** What the command line of this process says. */
export class Flags extends Context.Reference<Flags>()("charlotte/cli/RemoteServer/Flags", {
  defaultValue: (): { readonly server: Option.Option<string>; readonly tokenFile: Option.Option<string> } => ({
    server: Option.none(),
    tokenFile: Option.none()
  })
}) {}

/** The daemon that was named cannot be used like that; no request was sent. */
export class ServerUnusable extends Schema.TaggedError<ServerUnusable>()("ServerUnusable", {
  /** And what to do. */
  problem: Schema.String
}) {
  override get message() {
    return this.problem
  }
}

const variable = (name: string) => Effect.orDie(Config.option(Config.nonEmptyString(name)))

const named = Effect.flatMap(Flags, ({ server }) =>
  Option.isSome(server) ? Effect.succeed(server) : variable("CHARLOTTE_SERVER")
)

/** Whether commands are for another daemon than that of the home. */
export const isUsed = Effect.map(named, Option.isSome)

const expected = "--server (or CHARLOTTE_SERVER) must be https://HOST:PORT, or http on a loopback address"

/** The address, without anything that stands for no part of it; a URL with a password is not repeated. */
const originOf = (text: string): Effect.Effect<string, ServerUnusable> =>
  Effect.gen(function* () {
    if (!URL.canParse(text)) return yield* new ServerUnusable({ problem: expected })
    const { hash, hostname, origin, password, pathname, protocol, search, username } = new URL(text)
    if (username !== "" || password !== "") {
      const problem = `${expected}, without a password: name the token by --token-file FILE or CHARLOTTE_TOKEN`
      return yield* new ServerUnusable({ problem })
    }
    if (!["http:", "https:"].includes(protocol) || pathname !== "/" || search !== "" || hash !== "") {
      return yield* new ServerUnusable({ problem: `${expected}, and is ${text}` })
    }
    if (protocol === "http:" && !isLoopback(hostname.replace(/^\[(.*)\]$/, "$1"))) {
      const tunnel = `a tunnel to a loopback address: ssh -L 7433:HOST:PORT`
      const problem = `${text} would send the token where others can read it: use https, or ${tunnel}`
      return yield* new ServerUnusable({ problem })
    }
    return origin
  })

const tokenOf: Effect.Effect<Redacted.Redacted, FileUnusable | ServerUnusable> = Effect.gen(function* () {
  const { tokenFile } = yield* Flags
  const { readToken, usable } = yield* Effect.promise(() => import("../daemon/SecretFile.js"))
  const given = yield* variable("CHARLOTTE_TOKEN")
  if (Option.isNone(tokenFile) && Option.isSome(given)) {
    const token = given.value.trim()
    return usable.test(token)
      ? Redacted.make(token)
      : yield* new ServerUnusable({
          problem: "CHARLOTTE_TOKEN is no token: it must be at least 32 visible characters of ASCII"
        })
  }
  const file = Option.isSome(tokenFile) ? tokenFile : yield* variable("CHARLOTTE_TOKEN_FILE")
  if (Option.isSome(file)) return (yield* readToken(file.value)).token
  return yield* new ServerUnusable({
    problem: "the daemon asks for its token: add --token-file FILE, or set CHARLOTTE_TOKEN or CHARLOTTE_TOKEN_FILE"
  })
})

/** Where it is, and its token. */
export const target: Effect.Effect<Option.Option<RemoteTarget>, FileUnusable | ServerUnusable> = Effect.flatMap(
  named,
  Effect.transposeMapOption((text) =>
    Effect.gen(function* () {
      const url = yield* originOf(text)
      return { url, token: yield* tokenOf }
    })
  )
)
