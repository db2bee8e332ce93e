/**
 * The page of a server: its files, its sessions, and the port on which browsers find it.
 */
import { Effect, Random, type Redacted, Scope } from "effect"
import * as background from "../../../internal/background.js"
import { type InvalidCode, PageUnavailable, type TooManyTries } from "../../contract/errors.js"
import * as Permits from "../../../internal/Permits.js"
import type { ListenError } from "../ListenError.js"
import * as openings from "./openings.js"
import * as OneTimeCodes from "./OneTimeCodes.js"
import type { Port } from "./SessionFile.js"
import * as Sessions from "./Sessions.js"

export interface Options {
  /** The directory of the built files: `index.html`, and what it loads from `/assets/`. */
  readonly files: string
  /** The file that keeps sessions and port; it is created with mode 0600. */
  readonly sessions: string
  /** The directory in which `charlotte open` creates the files that lead browsers to the page. */
  readonly directory: string
  /** The token that other clients must send to a port that is opened for the page. */
  readonly token: Effect.Effect<Redacted.Redacted, { readonly message: string }>
  /** Called with each secret, which must not appear in any log. */
  readonly learn: (secret: string) => void
  /** Whether to reopen the port of existing sessions as soon as the server listens. */
  readonly reopen: boolean
  /** Called when it changes where the page is served. */
  readonly onChange: (page: State) => Effect.Effect<void>
}

/** Where the page is served, or why it is not. */
export interface State {
  readonly origin?: string
  readonly problem?: string
}

export interface Service {
  readonly files: string
  readonly sessions: Sessions.Sessions
  /** A one-time code for the page, for which a port is opened if none is open. */
  readonly code: Effect.Effect<OneTimeCodes.Issued, PageUnavailable>
  /** Starts a session with a code; `origin` is the origin of the request. */
  readonly exchange: (code: string, origin: string) => Effect.Effect<Sessions.Begun, InvalidCode | TooManyTries>
  /** Ends all sessions, and returns how many there were; codes become invalid too. */
  readonly endAll: Effect.Effect<number>
  /** Opens the port that pages try to reconnect to, if there are any. */
  readonly start: Effect.Effect<void>
}

/** How the server listens. */
export interface Listening {
  /** The port on which pages are served, if any, and their origin. */
  readonly current: Effect.Effect<(Port & { readonly origin: string }) | undefined>
  /** Listens on another port for as long as the server lives, and returns the origin of its pages. */
  readonly open: (port: Port) => Effect.Effect<string, ListenError>
}

/** Below the ephemeral ports: an outgoing connection could occupy such a port when the server restarts. */
const randomPort = Effect.map(Random.nextIntBetween(10_000, 30_000), (port) => ({ host: "127.0.0.1", port }))

export const make = (
  { directory, files, learn, onChange, reopen, sessions: file }: Options,
  { current, open }: Listening
): Effect.Effect<Service, never, Scope.Scope> =>
  Effect.gen(function* () {
    const scope = yield* Effect.scope
    const sessions = yield* Sessions.make({ file, learn })
    const codes = OneTimeCodes.make()
    yield* Effect.acquireRelease(openings.removeAll(directory), () => openings.removeAll(directory))

    const openRemembered = ({ host, port }: Port) =>
      Effect.mapBoth(open({ host, port }), {
        onFailure: ({ problem }) => new PageUnavailable({ address: `${host}:${port}`, problem }),
        onSuccess: (origin) => ({ host, port, origin })
      })
    const openAny = Effect.retry(Effect.flatMap(randomPort, openRemembered), { times: 20 })
    const inTurn = Permits.make(1)
    const openPort = Effect.flatMap(sessions.port, (port) => (port ? openRemembered(port) : openAny)).pipe(
      Effect.tapBoth({
        onFailure: ({ message }) => onChange({ problem: message }),
        onSuccess: ({ origin }) => onChange({ origin })
      })
    )
    const listening = inTurn(Effect.flatMap(current, (port) => (port ? Effect.succeed(port) : openPort)))

    return {
      files,
      sessions,
      code: Effect.gen(function* () {
        const { host, origin, port } = yield* listening
        yield* sessions.remember({ host, port })
        const issued = yield* codes.issue(origin)
        learn(issued.code)
        const remove = openings.remove(directory, issued.id)
        yield* Scope.extend(background.fork(Effect.delay(remove, OneTimeCodes.lifetime)), scope)
        return issued
      }),
      exchange: (code, origin) =>
        Effect.gen(function* () {
          const { id } = yield* codes.take(code, origin)
          yield* openings.remove(directory, id)
          return yield* sessions.begin(origin)
        }),
      endAll: Effect.all([codes.forget, openings.removeAll(directory)]).pipe(Effect.zipRight(sessions.endAll)),
      start: Effect.gen(function* () {
        const port = yield* current
        if (port !== undefined) return yield* onChange({ origin: port.origin })
        if (!reopen || !(yield* sessions.areThereAny) || (yield* sessions.port) === undefined) return
        yield* Effect.catchAll(listening, ({ message }) => Effect.logWarning(message))
      })
    }
  })
