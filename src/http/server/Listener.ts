/**
 * Listens on one address: a private unix socket, a loopback port, or a port that other machines reach.
 */
import { Duration, Effect, Redacted, type Scope, Stream } from "effect"
import { existsSync, lstatSync, unlinkSync } from "node:fs"
import { createServer, type RequestListener, type Server } from "node:http"
import { createServer as createSecureServer, Server as SecureServer } from "node:https"
import { connect } from "node:net"
import { dirname } from "node:path"
import { umask } from "node:process"
import { bracketed } from "../../internal/HostPort.js"
import { ListenError } from "./ListenError.js"
import { limitPipelining } from "./pipelining.js"
import * as RemoteHost from "./RemoteHost.js"
import type { AccessPolicy } from "./RequestGuard.js"
import * as SocketPath from "../SocketPath.js"

/**
 * Where to listen: the path of a unix socket, or a port (0 picks a free one), by default on 127.0.0.1. A port that other machines
 * reach needs `tls`, or `insecureHttp`; there, and wherever there is `tls`, every request needs the token, and no page is served.
 *
 * @since 0.1.0
 * @category options
 */
export type Address =
  | { readonly socket: string }
  | {
      readonly port: number
      readonly host?: string
      readonly tls?: Tls
      /** Accepts that the token and all data can be read on the way. */
      readonly insecureHttp?: boolean
    }

/**
 * The certificate of a port, with those between it and its root, and its private key, both in PEM.
 *
 * @since 0.2.0
 * @category options
 */
export interface Tls {
  readonly cert: string
  readonly key: Redacted.Redacted
  /** Those that take the place of the certificate and its key, for connections that are made from then on. */
  readonly renewals?: Stream.Stream<Pick<Tls, "cert" | "key">>
}

/**
 * Where a server listens.
 *
 * @since 0.2.0
 * @category models
 */
export type Bound =
  | { readonly socket: string }
  | {
      readonly port: number
      readonly host?: string
      /** Of a port with TLS, or that other machines reach. */
      readonly url?: string
    }

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

export interface Listener {
  readonly server: Server
  readonly address: Bound
  readonly policy: AccessPolicy
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

const codeOf = (cause: unknown): string => (cause instanceof Error && "code" in cause ? String(cause.code) : "")

const bind = (server: Server, where: { readonly path: string } | { readonly host: string; readonly port: number }) =>
  Effect.async<void, Error>((resume) => {
    const onError = (error: Error): void => resume(Effect.fail(error))
    server.once("error", onError)
    // `listen` creates the socket with mode 0600; a chmod afterwards would leave a moment in which others could connect.
    const before = umask(0o177)
    try {
      server.listen(where, () => {
        server.off("error", onError)
        resume(Effect.void)
      })
    } finally {
      umask(before)
    }
  })

/** Whether a process listens on the socket (`alive`), or it is stale (`dead`). */
const probe = (path: string): Effect.Effect<"alive" | "dead" | "other"> =>
  Effect.async((resume) => {
    const socket = connect(path)
    socket.once("connect", () => {
      socket.destroy()
      resume(Effect.succeed("alive"))
    })
    socket.once("error", (error) => resume(Effect.succeed(codeOf(error) === "ECONNREFUSED" ? "dead" : "other")))
    return Effect.sync(() => socket.destroy())
  })

const onSocket = (server: Server, socket: string): Effect.Effect<Omit<Listener, "server">, ListenError> =>
  Effect.gen(function* () {
    const path = yield* SocketPath.make(socket)
    const refuse = (problem: string) => new ListenError({ address: path, problem })
    // Node would report EACCES.
    if (!existsSync(dirname(path))) return yield* refuse("the directory does not exist")
    const failed = Effect.mapError((error: Error) => refuse(error.message))

    const replaceStale = Effect.gen(function* () {
      if (lstatSync(path, { throwIfNoEntry: false })?.isSocket() === false)
        return yield* refuse("the file is not a socket")
      const state = yield* probe(path)
      if (state === "alive") return yield* refuse("another process listens on it")
      // Left by a killed process. The caller excludes other servers on the same path: the daemon holds the lock of its home.
      if (state === "dead") unlinkSync(path)
      yield* failed(bind(server, { path }))
    })
    yield* Effect.catchAll(bind(server, { path }), (error) =>
      codeOf(error) === "EADDRINUSE" ? replaceStale : failed(Effect.fail(error))
    )
    return { address: { socket: path }, policy: { isHost: (host) => host === "localhost", origins: [] } }
  })

const loopback: { readonly [host: string]: string } = { "127.0.0.1": "127.0.0.1", localhost: "127.0.0.1", "::1": "::1" }

/** In characters; a shorter token could be guessed. */
const minTokenLength = 32

type Port = Exclude<Address, { readonly socket: string }>

const onPort = (
  server: Server,
  { host = "127.0.0.1", insecureHttp = false, port, tls }: Port,
  { isSession, token }: Access
): Effect.Effect<Omit<Listener, "server">, ListenError, Scope.Scope> =>
  Effect.gen(function* () {
    const refuse = (problem: string) => new ListenError({ address: `${bracketed(host)}:${port}`, problem })
    const address = loopback[host]
    if (address === undefined && tls === undefined && !insecureHttp) {
      return yield* refuse(
        "not a loopback address, and without TLS others could read the token on the way: " +
          "use 127.0.0.1 or ::1, or set tls to a certificate and its key, or insecureHttp to true"
      )
    }
    if (token === undefined || Redacted.value(token).length < minTokenLength) {
      return yield* refuse(`a port requires a token of at least ${minTokenLength} characters`)
    }
    yield* Effect.mapError(bind(server, { host: address ?? host, port }), ({ message }) => refuse(message))
    const bound = server.address()
    const actual = typeof bound === "object" && bound !== null ? bound.port : port
    if (address === undefined || tls !== undefined) {
      const url = `${tls === undefined ? "http" : "https"}://${bracketed(host)}:${actual}`
      const hostsOf = (cert: string | undefined) => RemoteHost.make({ host: address ?? host, port: actual, cert })
      let isHost = hostsOf(tls?.cert)
      const renew = ({ cert, key }: Tls) =>
        Effect.try(() => {
          const isHostNow = hostsOf(cert)
          if (server instanceof SecureServer) server.setSecureContext({ cert, key: Redacted.value(key) })
          isHost = isHostNow
        })
      yield* Effect.forkScoped(
        Stream.runForEach(tls?.renewals ?? Stream.empty, (renewed) =>
          Effect.catchAll(renew(renewed), ({ error }) =>
            Effect.logError(`${url} keeps its certificate, since the new one cannot be used: ${String(error)}`)
          )
        )
      )
      return {
        address: { host, port: actual, url },
        policy: { isHost: (name) => isHost(name), isClosed: true, origins: [], token }
      }
    }
    const names = [bracketed(address), "localhost"].map((name) => `${name}:${actual}`)
    return {
      address: { host: address, port: actual },
      policy: {
        isHost: (host) => names.includes(host),
        origins: names.map((name) => `http://${name}`),
        token,
        isSession
      }
    }
  })

/** Who may send requests to a port. */
interface Access extends Pick<AccessPolicy, "isSession"> {
  readonly token?: Redacted.Redacted | undefined
}

/** What OpenSSL says of a certificate and a key that do not go together. */
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
    const bound = "socket" in address ? onSocket(server, address.socket) : onPort(server, address, options)
    return { server, ...(yield* bound) }
  })

/** The origin of its pages. */
export const originOf = ({ policy }: Listener): string => policy.origins[0] ?? ""

/** If it is a port that pages can be served on: which one, and the origin of its pages. */
export const portOf = (
  listener: Listener
): ReadonlyArray<{ readonly host: string; readonly port: number; readonly origin: string }> =>
  "port" in listener.address && listener.policy.origins.length > 0
    ? [{ host: listener.address.host ?? "127.0.0.1", port: listener.address.port, origin: originOf(listener) }]
    : []
