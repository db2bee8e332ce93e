/**
 * An HTTP client for a server on a unix socket or a TCP port.
 */
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { Effect, type Redacted, type Scope } from "effect"
import { version, versionHeader } from "../contract/Version.js"
import type { ListenError } from "../server/ListenError.js"
import * as SocketPath from "../SocketPath.js"

/**
 * The address of a server: the path of its unix socket, or its port and the token that the port requires. `host` is 127.0.0.1 by
 * default.
 *
 * @since 0.1.0
 * @category models
 */
export type Target =
  { readonly socket: string } | { readonly port: number; readonly host?: string; readonly token: Redacted.Redacted }

export interface Connection {
  /** For messages. */
  readonly address: string
  /** Takes paths. No keep-alive: the server could close an idle connection just as a request is sent on it. */
  readonly client: HttpClient.HttpClient
}

const ofTarget = (target: Target) =>
  "socket" in target
    ? Effect.map(SocketPath.make(target.socket), (socketPath) => ({
        address: socketPath,
        agent: { keepAlive: false, socketPath },
        url: "http://localhost",
        authorize: (request: HttpClientRequest.HttpClientRequest) => request
      }))
    : Effect.sync(() => {
        const { host = "127.0.0.1", port, token } = target
        return {
          address: `${host}:${port}`,
          agent: { keepAlive: false },
          url: `http://${host.includes(":") ? `[${host}]` : host}:${port}`,
          authorize: HttpClientRequest.bearerToken(token)
        }
      })

export const make = (target: Target): Effect.Effect<Connection, ListenError, Scope.Scope> =>
  Effect.gen(function* () {
    const { address, agent, authorize, url } = yield* ofTarget(target)
    const client = yield* Effect.provideServiceEffect(
      NodeHttpClient.make,
      NodeHttpClient.HttpAgent,
      NodeHttpClient.makeAgent(agent)
    )
    return {
      address,
      client: HttpClient.mapRequest(client, (request) =>
        request.pipe(HttpClientRequest.prependUrl(url), HttpClientRequest.setHeader(versionHeader, version), authorize)
      )
    }
  })
