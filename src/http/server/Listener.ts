/**
 * Listens on one address: a private unix socket, a loopback port, or a port that other machines can reach.
 */
import { Duration, Effect, Redacted, type Scope } from "effect"
import { createServer, type RequestListener, type Server } from "node:http"
import { createServer as createSecureServer } from "node:https"
import { bracketed } from "../../internal/HostPort.js"
import type { Address, Endpoint, Tls } from "./Address.js"
import { ListenError } from "./ListenError.js"
import { limitPipelining } from "./pipelining.js"
import { type Access, listenOnPort } from "./listenOnPort.js"
import { listenOnSocket } from "./listenOnSocket.js"

/**
 * Limits on connections and requests.
 *
 * @since 0.1.0
 * @category options
 */
export interface Limits {
  /** Concurrent connections to each address; 512 by default. */
  readonly maxConnections?: number
  /** Timeout for receiving a request with its body; 30 seconds by default. */
  readonly requestTime?: Duration.DurationInput
}

export interface Listener extends Endpoint {
  readonly server: Server
}

/** In bytes, of all headers of a request together. */
const maxHeaderSize = 16 * 1024

/** Pipelined requests on one connection. */
const maxPipelined = 256

const makeServer = ({ maxConnections = 512, requestTime = "30 seconds" }: Limits, tls: Tls | undefined): Server => {
  const time = Duration.toMillis(requestTime)
  const options = {
    requestTimeout: time,
    headersTimeout: Math.min(time, 10_000),
    connectionsCheckingInterval: Math.min(time, 1_000),
    keepAliveTimeout: 5_000,
    maxHeaderSize
  }
  const server =
    tls === undefined
      ? createServer(options)
      : createSecureServer({
          ...options,
          cert: tls.cert,
          key: Redacted.value(tls.key),
          handshakeTimeout: options.headersTimeout
        })
  // No limit here: Node would silently drop further headers, and the guard refuses the request instead.
  server.maxHeadersCount = 0
  server.maxConnections = maxConnections
  return server
}

/** The error for a certificate and key that are invalid or do not match. */
const unusable = (address: Address, cause: unknown): ListenError =>
  new ListenError({
    address: "socket" in address ? address.socket : `${bracketed(address.host ?? "127.0.0.1")}:${address.port}`,
    problem: `the certificate and its key cannot be used: ${cause instanceof Error ? cause.message : String(cause)}`
  })

/** Listens for as long as the scope lives. */
export const listen = (
  address: Address,
  options: Limits &
    Access & {
      /** May be called before this effect returns the actual address. */
      readonly onRequest: RequestListener
    }
): Effect.Effect<Listener, ListenError, Scope.Scope> =>
  Effect.gen(function* () {
    const tls = "socket" in address ? undefined : address.tls
    const server = yield* Effect.acquireRelease(
      Effect.try({
        try: () => {
          const onRequest = limitPipelining(maxPipelined, options.onRequest)
          return makeServer(options, tls).on("request", onRequest).on("checkContinue", onRequest)
        },
        catch: (cause) => unusable(address, cause)
      }),
      (server) =>
        Effect.sync(() => {
          server.close()
          server.closeAllConnections()
        })
    )
    const bound = "socket" in address ? listenOnSocket(server, address.socket) : listenOnPort(server, address, options)
    return { server, ...(yield* bound) }
  })

/** The origin of the listener's pages. */
export const originOf = ({ policy }: Listener): string => policy.origins[0] ?? ""

/** The port and the origin of its pages, if pages can be served on it. */
export const portOf = (
  listener: Listener
): ReadonlyArray<{ readonly host: string; readonly port: number; readonly origin: string }> =>
  "port" in listener.address && listener.policy.origins.length > 0
    ? [{ host: listener.address.host ?? "127.0.0.1", port: listener.address.port, origin: originOf(listener) }]
    : []
