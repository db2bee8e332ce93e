/** Requests as any program may send them, and what comes back. */
import { Effect, type Scope } from "effect"
import { type IncomingHttpHeaders, type IncomingMessage, request } from "node:http"
import * as net from "node:net"

export type Where = { readonly socketPath: string } | { readonly port: number }

export interface Sent {
  readonly method?: string
  readonly path: string
  readonly headers?: { readonly [name: string]: string }
  readonly body?: string
  /** Its end is never sent. */
  readonly unfinished?: boolean
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  /** Nothing when it is no JSON. */
  readonly json: unknown
}

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The answer as soon as its headers are there. Its connection is closed with the scope. */
export const open = (where: Where, { body, headers = {}, method = "GET", path, unfinished = false }: Sent) =>
  Effect.flatMap(
    Effect.acquireRelease(
      Effect.sync(() =>
        request({
          host: "socketPath" in where ? "localhost" : "127.0.0.1",
          ...where,
          agent: false,
          method,
          path,
          headers
        })
      ),
      (sent) => Effect.sync(() => sent.destroy())
    ),
    (sent) =>
      Effect.async<IncomingMessage>((resume) => {
        sent.on("error", (error) => resume(Effect.die(error)))
        sent.once("response", (response) => resume(Effect.succeed(response)))
        if (unfinished) sent.flushHeaders()
        else sent.end(body)
      })
  )

const read = (response: IncomingMessage) =>
  Effect.async<Answer>((resume) => {
    let text = ""
    response.setEncoding("utf8")
    response.on("data", (piece: string) => (text += piece))
    response.on("error", (error) => resume(Effect.die(error)))
    response.once("end", () =>
      resume(Effect.succeed({ status: response.statusCode ?? 0, headers: response.headers, text, json: parse(text) }))
    )
  })

export const send = (where: Where, sent: Sent): Effect.Effect<Answer> =>
  Effect.scoped(Effect.flatMap(open(where, sent), read))

/** A connection, byte for byte. */
export interface Connection {
  readonly write: (bytes: string) => void
  /** All that has come. */
  readonly text: () => string
  readonly has: (pattern: RegExp) => Effect.Effect<void>
  readonly closed: Effect.Effect<void>
}

export const connect = (where: Where): Effect.Effect<Connection, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => ("socketPath" in where ? net.connect(where.socketPath) : net.connect(where.port, "127.0.0.1"))),
      (socket) => Effect.sync(() => socket.destroy())
    ),
    (socket) => {
      let text = ""
      socket.setEncoding("utf8")
      socket.on("data", (piece: string) => (text += piece))
      socket.on("error", () => {})
      return {
        write: (bytes) => socket.write(bytes),
        text: () => text,
        has: (pattern) =>
          Effect.async((resume) => {
            const look = () => {
              if (!pattern.test(text)) return
              socket.off("data", look)
              resume(Effect.void)
            }
            socket.on("data", look)
            look()
          }),
        closed: Effect.async((resume) => {
          if (socket.closed) resume(Effect.void)
          else socket.once("close", () => resume(Effect.void))
        })
      }
    }
  )

/** Sends these bytes and gives all that comes back, until the connection is closed or there is enough. */
export const raw = (where: Where, bytes: string, enough?: RegExp): Effect.Effect<string, never, Scope.Scope> =>
  Effect.gen(function* () {
    const connection = yield* connect(where)
    connection.write(bytes)
    yield* Effect.race(connection.closed, enough === undefined ? Effect.never : connection.has(enough))
    return connection.text()
  })
