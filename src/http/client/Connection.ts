/**
 * Requests over a unix socket or a port of this machine. Each has a connection of its own: a client lives for a command or two,
 * and a connection that is kept may be closed by the server in the very moment in which it is used.
 */
import { Effect, Redacted, type Scope } from "effect"
import { type IncomingMessage, request } from "node:http"
import { version, versionHeader } from "../contract/Version.js"
import * as SocketPath from "../SocketPath.js"

/**
 * Where a server listens, and what it wants to see.
 *
 * @since 0.1.0
 */
export type Target =
  { readonly socket: string } | { readonly port: number; readonly host?: string; readonly token: Redacted.Redacted }

export interface Connection {
  /** For people. */
  readonly address: string
  /** The answer, as soon as its headers are there. The connection is closed with the scope. Fails with what Node says. */
  readonly open: (request: Request) => Effect.Effect<IncomingMessage, Error, Scope.Scope>
}

export interface Request {
  readonly method: string
  /** With the query. */
  readonly path: string
  readonly headers?: { readonly [name: string]: string }
  readonly body?: Uint8Array
}

export const make = (target: Target): Effect.Effect<Connection, Error> =>
  Effect.gen(function* () {
    const where =
      "socket" in target
        ? { socketPath: yield* SocketPath.make(target.socket) }
        : { host: target.host ?? "127.0.0.1", port: target.port }
    const own = {
      [versionHeader]: version,
      ...("socket" in target ? {} : { authorization: `Bearer ${Redacted.value(target.token)}` })
    }

    // There is no name to be sure of, and to find out whether the host is one takes milliseconds.
    const once = { agent: false, servername: "" } as const

    const open = ({ body, headers, method, path }: Request) =>
      Effect.flatMap(
        Effect.acquireRelease(
          Effect.sync(() => {
            const sent = request({ ...where, ...once, method, path, headers: { ...headers, ...own } })
            // There may be more than one, and one that comes when nobody waits any more is nobody's.
            sent.on("error", () => {})
            sent.end(body)
            return sent
          }),
          (sent) => Effect.sync(() => sent.destroy())
        ),
        (sent) =>
          Effect.async<IncomingMessage, Error>((resume) => {
            sent.once("error", (error) => resume(Effect.fail(error)))
            sent.once("response", (response) => {
              response.on("error", () => {})
              resume(Effect.succeed(response))
            })
          })
      )

    return { address: "socketPath" in where ? where.socketPath : `${where.host}:${where.port}`, open }
  })

/** All of an answer. */
export const read = (response: IncomingMessage): Effect.Effect<Buffer, Error> =>
  Effect.async((resume) => {
    const pieces: Array<Buffer> = []
    response.on("data", (piece: Buffer) => pieces.push(piece))
    response.once("end", () => resume(Effect.succeed(Buffer.concat(pieces))))
    response.once("error", (error) => resume(Effect.fail(error)))
  })
