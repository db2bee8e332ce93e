/**
 * Listens on a port: a loopback port, or one that other machines can reach.
 */
import { Effect, Redacted, type Scope, Stream } from "effect"
import type { Server } from "node:http"
import { Server as SecureServer } from "node:https"
import * as background from "../../internal/background.js"
import { bracketed, loopbackAddress } from "../../internal/HostPort.js"
import type { Address, Endpoint, Tls } from "./Address.js"
import { bindServer } from "./bindServer.js"
import { ListenError } from "./ListenError.js"
import * as RemoteHost from "./RemoteHost.js"
import type { AccessPolicy } from "./RequestGuard.js"

/** Who may send requests to a port. */
export interface Access extends Pick<AccessPolicy, "isSession"> {
  readonly token?: Redacted.Redacted | undefined
}

/** In characters; a shorter token could be guessed. */
const minTokenLength = 32

/** Pages are served here, to browsers that have a session. */
const loopbackEndpoint = (address: string, port: number, access: Access): Endpoint => {
  const names = [bracketed(address), "localhost"].map((name) => `${name}:${port}`)
  return {
    address: { host: address, port },
    policy: { ...access, isHost: (host) => names.includes(host), origins: names.map((name) => `http://${name}`) }
  }
}

/** No page is served here. Certificates are renewed for as long as the scope lives. */
const remoteEndpoint = (
  server: Server,
  options: {
    /** As in the URL that clients use. */
    readonly host: string
    /** The address that it listens on. */
    readonly address: string
    readonly port: number
    readonly tls: Tls | undefined
    readonly token: Redacted.Redacted
  }
): Effect.Effect<Endpoint, never, Scope.Scope> =>
  Effect.gen(function* () {
    const { address, host, port, tls, token } = options
    const url = `${tls === undefined ? "http" : "https"}://${bracketed(host)}:${port}`
    const hostsOf = (cert: string | undefined) => RemoteHost.make({ host: address, port, cert })
    let isHost = hostsOf(tls?.cert)
    const renew = ({ cert, key }: Tls) =>
      Effect.try(() => {
        const isHostNow = hostsOf(cert)
        if (server instanceof SecureServer) server.setSecureContext({ cert, key: Redacted.value(key) })
        isHost = isHostNow
      })
    yield* background.fork(
      Stream.runForEach(tls?.renewals ?? Stream.empty, (renewed) =>
        Effect.catchAll(renew(renewed), ({ error }) =>
          Effect.logError(`${url} keeps its certificate, since the new one cannot be used: ${String(error)}`)
        )
      )
    )
    return {
      address: { host, port, url },
      policy: { isHost: (name) => isHost(name), isClosed: true, origins: [], token }
    }
  })

type Port = Exclude<Address, { readonly socket: string }>

export const listenOnPort = (
  server: Server,
  { host = "127.0.0.1", insecureHttp = false, port, tls }: Port,
  { isSession, token }: Access
): Effect.Effect<Endpoint, ListenError, Scope.Scope> =>
  Effect.gen(function* () {
    const refuse = (problem: string) => new ListenError({ address: `${bracketed(host)}:${port}`, problem })
    const address = loopbackAddress(host)
    if (address === undefined && tls === undefined && !insecureHttp) {
      return yield* refuse(
        "not a loopback address, and without TLS others could read the token on the way: " +
          "use 127.0.0.1 or ::1, or set tls to a certificate and its key, or insecureHttp to true"
      )
    }
    if (token === undefined || Redacted.value(token).length < minTokenLength) {
      return yield* refuse(`a port requires a token of at least ${minTokenLength} characters`)
    }
    yield* Effect.mapError(bindServer(server, { host: address ?? host, port }), ({ message }) => refuse(message))
    const bound = server.address()
    const actual = typeof bound === "object" && bound !== null ? bound.port : port
    return address === undefined || tls !== undefined
      ? yield* remoteEndpoint(server, { host, address: address ?? host, port: actual, tls, token })
      : loopbackEndpoint(address, actual, { isSession, token })
  })
