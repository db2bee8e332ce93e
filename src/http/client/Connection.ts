/**
 * An HTTP client for a server on a unix socket, a TCP port, or at a URL.
 */
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { Effect, identity, Option, type Redacted, type Scope } from "effect"
import { bracketed } from "../../internal/HostPort.js"
import * as Tracing from "../../internal/Tracing.js"
import { version, versionHeader } from "../contract/Version.js"
import type { ListenError } from "../server/ListenError.js"
import * as SocketPath from "../SocketPath.js"

/**
 * The address of a server: the path of its unix socket, or its port or URL and the token that it requires. `host` is 127.0.0.1 by
 * default.
 *
 * @since 0.1.0
 * @category models
 */
export type Target =
  | { readonly socket: string }
  | { readonly port: number; readonly host?: string; readonly token: Redacted.Redacted }
  | RemoteTarget

/**
 * A server on another machine. Node also trusts the CAs in the file that `NODE_EXTRA_CA_CERTS` names.
 *
 * @since 0.2.0
 * @category models
 */
export interface RemoteTarget {
  /** `https://HOST:PORT`. With `http://`, others on the network can read the token. */
  readonly url: string
  readonly token: Redacted.Redacted
}

/** For messages. */
export const show = (target: Target): string => {
  if ("socket" in target) return target.socket
  return "url" in target ? target.url : `${target.host ?? "127.0.0.1"}:${target.port}`
}

export interface Connection {
  /** For messages. */
  readonly address: string
  /** Request URLs are paths. No keep-alive: the server could close an idle connection just as a request is sent on it. */
  readonly client: HttpClient.HttpClient
}

const urlOf = (target: Exclude<Target, { readonly socket: string }>): string => {
  if ("url" in target) return target.url.replace(/\/$/, "")
  const { host = "127.0.0.1", port } = target
  return `http://${bracketed(host)}:${port}`
}

const ofTarget = (target: Target) =>
  "socket" in target
    ? Effect.map(SocketPath.make(target.socket), (socketPath) => ({
        address: socketPath,
        agent: { keepAlive: false, socketPath },
        url: "http://localhost",
        authorize: (request: HttpClientRequest.HttpClientRequest) => request
      }))
    : Effect.sync(() => ({
        address: show(target),
        agent: { keepAlive: false },
        url: urlOf(target),
        authorize: HttpClientRequest.bearerToken(target.token)
      }))

/** Without a tracer, requests would propagate a span that is never exported. */
const withoutSpans = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.flatMap(Tracing.isTraced, (traced) =>
    traced ? effect : Effect.locally(effect, HttpClient.currentTracerDisabledWhen, () => true)
  )

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
      client: client.pipe(
        HttpClient.mapRequestEffect((request) =>
          Effect.map(Tracing.remote, (remote) =>
            request.pipe(
              HttpClientRequest.prependUrl(url),
              HttpClientRequest.setHeader(versionHeader, version),
              Option.match(remote, {
                onNone: () => identity<HttpClientRequest.HttpClientRequest>,
                onSome: (traceparent) => HttpClientRequest.setHeader("traceparent", traceparent)
              }),
              authorize
            )
          )
        ),
        HttpClient.transformResponse(withoutSpans)
      )
    }
  })
