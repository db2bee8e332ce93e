/** Requests as any program may send them, and what comes back. */
import { Effect, type Scope } from "effect"
import { type IncomingHttpHeaders, type IncomingMessage, request } from "node:http"
import { connect } from "node:net"

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

/** Sends these bytes and gives all that comes back until the connection is closed, or the answer is an event stream. */
export const raw = (where: Where, bytes: string | Buffer): Effect.Effect<string, never, Scope.Scope> =>
  Effect.flatMap(
    Effect.acquireRelease(
      Effect.sync(() => ("socketPath" in where ? connect(where.socketPath) : connect(where.port, "127.0.0.1"))),
      (socket) => Effect.sync(() => socket.destroy())
    ),
    (socket) =>
      Effect.async<string>((resume) => {
        let text = ""
        socket.setEncoding("utf8")
        socket.on("data", (piece: string) => {
          text += piece
          if (/^HTTP\/1.1 200 .*: charlotte/s.test(text)) resume(Effect.succeed(text))
        })
        socket.on("error", () => {})
        socket.once("close", () => resume(Effect.succeed(text)))
        socket.write(bytes)
      })
  )
