/**
 * The daemon that `--server` or `CHARLOTTE_SERVER` names, instead of the home's.
 */
import { Config, Context, Effect, Option, Redacted } from "effect"
import { Problem } from "../../daemon/Problem.js"
import type { RemoteTarget } from "../../http/client/JobClient.js"
import { isLoopback } from "../../internal/HostPort.js"

/** The server and token from the command line of this process. */
export class Flags extends Context.Reference<Flags>()("charlotte/cli/RemoteServer/Flags", {
  defaultValue: (): { readonly server: Option.Option<string>; readonly tokenFile: Option.Option<string> } => ({
    server: Option.none(),
    tokenFile: Option.none()
  })
}) {}

/** The named daemon cannot be used; no request was sent. */
const unusable = (problem: string) => new Problem({ name: "ServerUnusable", problem })

const variable = (name: string) => Effect.orDie(Config.option(Config.nonEmptyString(name)))

const named = Effect.flatMap(Flags, ({ server }) =>
  Option.isSome(server) ? Effect.succeed(server) : variable("CHARLOTTE_SERVER")
)

/** Whether commands use the named daemon instead of the home's. */
export const isUsed = Effect.map(named, Option.isSome)

const expected = "--server (or CHARLOTTE_SERVER) must be https://HOST:PORT, or http on a loopback address"

/** The origin of a URL that contains nothing else; a URL with a password is never quoted in a problem. */
const originOf = (text: string): Effect.Effect<string, Problem> =>
  Effect.gen(function* () {
    if (!URL.canParse(text)) return yield* unusable(expected)
    const { hash, hostname, origin, password, pathname, protocol, search, username } = new URL(text)
    if (username !== "" || password !== "") {
      const problem = `${expected}, without a password: name the token by --token-file FILE or CHARLOTTE_TOKEN`
      return yield* unusable(problem)
    }
    if (!["http:", "https:"].includes(protocol) || pathname !== "/" || search !== "" || hash !== "") {
      return yield* unusable(`${expected}, and is ${text}`)
    }
    if (protocol === "http:" && !isLoopback(hostname.replace(/^\[(.*)\]$/, "$1"))) {
      const tunnel = `a tunnel to a loopback address: ssh -L 7433:HOST:PORT`
      const problem = `${text} would send the token where others can read it: use https, or ${tunnel}`
      return yield* unusable(problem)
    }
    return origin
  })

const tokenOf: Effect.Effect<Redacted.Redacted, Problem> = Effect.gen(function* () {
  const { tokenFile } = yield* Flags
  const { readToken, usable } = yield* Effect.promise(() => import("../../daemon/home/SecretFile.js"))
  const given = yield* variable("CHARLOTTE_TOKEN")
  if (Option.isNone(tokenFile) && Option.isSome(given)) {
    const token = given.value.trim()
    return usable.test(token)
      ? Redacted.make(token)
      : yield* unusable("CHARLOTTE_TOKEN is not a token: it must be at least 32 visible ASCII characters")
  }
  const file = Option.isSome(tokenFile) ? tokenFile : yield* variable("CHARLOTTE_TOKEN_FILE")
  if (Option.isSome(file)) return (yield* readToken(file.value)).token
  return yield* unusable(
    "the daemon asks for its token: add --token-file FILE, or set CHARLOTTE_TOKEN or CHARLOTTE_TOKEN_FILE"
  )
})

/** The URL and token of the named daemon. */
export const target: Effect.Effect<Option.Option<RemoteTarget>, Problem> = Effect.flatMap(
  named,
  Effect.transposeMapOption((text) =>
    Effect.gen(function* () {
      const url = yield* originOf(text)
      return { url, token: yield* tokenOf }
    })
  )
)
