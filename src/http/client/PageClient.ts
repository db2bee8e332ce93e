/**
 * The client for sessions of the page, on the socket of the home.
 */
import { Effect, type Scope } from "effect"
import type { ConnectionFailed, DaemonNotRunning, PageUnavailable } from "../contract/errors.js"
import type { SessionCode } from "../contract/Session.js"
import type { ClientError } from "./ClientError.js"
import type { Target } from "./Connection.js"
import * as Derived from "./Derived.js"

export interface Service {
  /** A one-time code for the page. The server opens a port for it if none is open. */
  readonly code: Effect.Effect<SessionCode, ClientError | PageUnavailable>
  /** Ends all sessions; returns how many there were. */
  readonly endAll: Effect.Effect<number, ClientError>
}

export const make = (target: Target): Effect.Effect<Service, ConnectionFailed | DaemonNotRunning, Scope.Scope> =>
  Effect.gen(function* () {
    const { requests, withTimeout } = yield* Derived.make(target)
    const { endAll, open } = requests.charlotteSession
    return {
      code: withTimeout(open({})),
      endAll: withTimeout(Effect.map(endAll({}), ({ ended }) => ended))
    }
  })
