/**
 * One address that a server listens on: a unix socket of the user's own, or a port that only this machine reaches.
 */
import { Duration, Effect, Redacted, type Scope } from "effect"
import { existsSync, lstatSync, unlinkSync } from "node:fs"
import { createServer, type RequestListener, type Server } from "node:http"
import { connect } from "node:net"
import { dirname } from "node:path"
import { umask } from "node:process"
import { ListenError } from "./ListenError.js"
import { limitPipelining } from "./pipelining.js"
import type { Door } from "./RequestGuard.js"
import * as SocketPath from "../SocketPath.js"

/**
 * Where to listen: the path of a unix socket, or a port on a loopback address (127.0.0.1 when left out; port 0 takes any that
 * is free).
 *
 * @since 0.1.0
 */
export type Address = { readonly socket: string } | { readonly port: number; readonly host?: string }

/** @since 0.1.0 */
export interface Limits {
  /** Connections at the same time, to each address; 512 when left out. */
  readonly maxConnections?: number
  /** How long a client may take to send a request, with its body; 30 seconds when left out. */
  readonly requestTime?: Duration.DurationInput
}

export interface Listener {
  readonly server: Server
  readonly address: Address
  readonly door: Door
}

/** Bytes of all headers of a request together. */
const maxHeaderSize = 16 * 1024

/** Requests that wait for their answers on one connection. */
const maxPipelined = 256

const makeServer = ({ maxConnections = 512, requestTime = "30 seconds" }: Limits): Server => {
  const time = Duration.toMillis(requestTime)
  const server = createServer({
    requestTimeout: time,
    headersTimeout: Math.min(time, 10_000),
    connectionsCheckingInterval: Math.min(time, 1_000),
    keepAliveTimeout: 5_000,
    maxHeaderSize
  })
  // Node would drop the headers after the hundredth; the guard refuses such a request.
  server.maxHeadersCount = 0
  server.maxConnections = maxConnections
  return server
}

const codeOf = (cause: unknown): string => (cause instanceof Error && "code" in cause ? String(cause.code) : "")

/** Begins to listen; fails with what Node says. */
const bind = (server: Server, where: { readonly path: string } | { readonly host: string; readonly port: number }) =>
  Effect.async<void, Error>((resume) => {
    const onError = (error: Error): void => resume(Effect.fail(error))
    server.once("error", onError)
    // The socket is made in this call, with the mode that this leaves of it: nobody else gets to use it before.
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

/** What answers at a socket: a server, or nobody any more. */
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
    // Node would say that it has no permission.
    if (!existsSync(dirname(path))) return yield* refuse("there is no such directory")
    const failed = Effect.mapError((error: Error) => refuse(error.message))

    const heal = Effect.gen(function* () {
      if (lstatSync(path, { throwIfNoEntry: false })?.isSocket() === false) return yield* refuse("it is no socket")
      const state = yield* probe(path)
      if (state === "alive") return yield* refuse("another process listens there")
      // Left by one that was killed. Who may take its place is decided by whoever starts servers, before they come here.
      if (state === "dead") unlinkSync(path)
      yield* failed(bind(server, { path }))
    })
    yield* Effect.catchAll(bind(server, { path }), (error) =>
      codeOf(error) === "EADDRINUSE" ? heal : failed(Effect.fail(error))
    )
    return { address: { socket: path }, door: { hosts: ["localhost"], origins: [] } }
  })

const loopback: { readonly [host: string]: string } = { "127.0.0.1": "127.0.0.1", localhost: "127.0.0.1", "::1": "::1" }

/** A shorter one could be found by trying. */
const shortestToken = 32

const onPort = (
  server: Server,
  { host = "127.0.0.1", port }: { readonly host?: string; readonly port: number },
  token: Redacted.Redacted | undefined
): Effect.Effect<Omit<Listener, "server">, ListenError> =>
  Effect.gen(function* () {
    const refuse = (problem: string) => new ListenError({ address: `${host}:${port}`, problem })
    const address = loopback[host]
    if (address === undefined) return yield* refuse("only this machine is served: use 127.0.0.1 or ::1")
    if (token === undefined || Redacted.value(token).length < shortestToken) {
      return yield* refuse(`a port needs a token of at least ${shortestToken} characters`)
    }
    yield* Effect.mapError(bind(server, { host: address, port }), ({ message }) => refuse(message))
    const bound = server.address()
    const actual = typeof bound === "object" && bound !== null ? bound.port : port
    const names = [address === "::1" ? "[::1]" : address, "localhost"].map((name) => `${name}:${actual}`)
    return {
      address: { host: address, port: actual },
      door: { hosts: names, origins: names.map((name) => `http://${name}`), token }
    }
  })

/** Begins to listen, for as long as the scope. */
export const listen = (
  address: Address,
  options: Limits & {
    readonly token?: Redacted.Redacted | undefined
    /** Takes requests; it may be called before it is known where exactly the server listens. */
    readonly onRequest: RequestListener
  }
): Effect.Effect<Listener, ListenError, Scope.Scope> =>
  Effect.gen(function* () {
    const server = yield* Effect.acquireRelease(
      Effect.sync(() => {
        const onRequest = limitPipelining(maxPipelined, options.onRequest)
        return makeServer(options).on("request", onRequest).on("checkContinue", onRequest)
      }),
      (server) =>
        Effect.sync(() => {
          server.close()
          server.closeAllConnections()
        })
    )
    const bound = "socket" in address ? onSocket(server, address.socket) : onPort(server, address, options.token)
    return { server, ...(yield* bound) }
  })
